"""Courses: stored in Mongo, searched in Elasticsearch, published by a Celery task."""
