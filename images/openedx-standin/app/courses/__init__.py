"""Courses: kept in Mongo, found through Elasticsearch, published by a Celery task."""
