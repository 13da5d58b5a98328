"""Wires openedx-forum to this service's stores."""

from django.apps import AppConfig


class ServiceConfig(AppConfig):
    """Its `ready` runs before the first request and before gunicorn forks, and opens no connection."""

    name = "service"

    def ready(self) -> None:
        """Give openedx-forum's models one mongo client, and use mongo for every course."""
        from forum import backend
        from forum.backends.mongodb.base_model import MongoBaseModel

        from service import stores

        # By itself it makes a client, with its own threads, for each model class.
        MongoBaseModel.MONGODB_DATABASE = stores.database()
        # By itself it asks a waffle flag of edx-platform; without edx-platform the answer is MySQL.
        backend.is_mysql_backend_enabled = lambda course_id: False
