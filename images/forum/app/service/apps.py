"""Wires openedx-forum to this service's stores."""

from django.apps import AppConfig


class ServiceConfig(AppConfig):
    """Runs before the first request and before gunicorn forks; opens no connection."""

    name = "service"

    def ready(self) -> None:
        """One client for all of openedx-forum's models, and mongo for every course."""
        from forum import backend
        from forum.backends.mongodb.base_model import MongoBaseModel

        from service import stores

        # It would make a client, with threads of its own, for each model class.
        MongoBaseModel.MONGODB_DATABASE = stores.database()
        # It asks a waffle flag of edx-platform, and without edx-platform takes MySQL.
        backend.is_mysql_backend_enabled = lambda course_id: False
