"""A schema editor for migrations that were interrupted: MySQL cannot roll back their finished statements."""

import logging
from typing import Any

from django.db import DatabaseError
from django.db.backends.mysql.schema import DatabaseSchemaEditor

logger = logging.getLogger(__name__)

# MySQL's errors for a statement that had already been carried out: the table, column, key or primary key exists;
# the column, key or table is no longer there; the foreign key exists (errno 121, in 1005, from MariaDB).
ALREADY_DONE = frozenset({1050, 1060, 1061, 1068, 1054, 1091, 1051, 1005, 1826, 1022})


class ResumableSchemaEditor(DatabaseSchemaEditor):
    """Resumes an interrupted migration by skipping finished statements; each statement is atomic.

    Only while `resuming`: otherwise an existing table is not ours, and an error.
    """

    resuming = False

    def execute(self, sql: object, params: object = ()) -> object:
        """Run a statement; while `resuming` one that had been carried out already is skipped."""
        try:
            return super().execute(sql, params)
        except DatabaseError as error:
            code = error.args[0] if error.args else None
            if not type(self).resuming or code not in ALREADY_DONE:
                raise
            if code == 1005 and "errno: 121" not in str(error):
                raise
            logger.info("already done before the interruption: %s", str(sql)[:120])
            return None

    def _delete_composed_index(self, *args: Any) -> None:
        # Django looks for the key by itself before there is a statement, and finds none after the statement was carried out.
        try:
            super()._delete_composed_index(*args)
        except ValueError as error:
            if not type(self).resuming or not str(error).startswith("Found wrong number (0)"):
                raise
            logger.info("already done before the interruption: %s", error)
