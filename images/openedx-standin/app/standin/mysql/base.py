"""Django's MySQL backend on PyMySQL, which is plain Python and needs no client library."""

import pymysql

pymysql.install_as_MySQLdb()

from django.db.backends.mysql import base  # noqa: E402 (looks for MySQLdb at import)

from standin.mysql.schema import ResumableSchemaEditor  # noqa: E402


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's own, but for the schema editor."""

    SchemaEditorClass = ResumableSchemaEditor
