"""`migrate`, made safe to kill and to start twice."""

import time
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connection
from elasticsearch import ElasticsearchException

from courses import search, store
from standin import heartbeat
from standin.mysql.schema import ResumableSchemaEditor

LOCK = "edxapp.migrate"
# Holds the migration that is under way; a row that is found at the start is of one that was cut.
PROGRESS = "standin_migration_under_way"
# Seconds: for a store or another migration, and for one statement.
LIMIT, STATEMENT = 60, 1800


class Command(migrate.Command):
    """Waits for its stores, takes a lock that dies with its connection, and takes up a migration that was cut."""

    # Django's own checks ask the database before we have waited for it.
    requires_system_checks = []

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--reindex", action="store_true", help="then index the published courses anew")

    def handle(self, *args, reindex=False, **options):
        self.wait(("sql", "modulestore", "elasticsearch") if reindex else ("sql", "modulestore"))
        # A page does not wait this long for a statement; a large table's change may take it.
        connection.settings_dict["OPTIONS"].update(read_timeout=STATEMENT, write_timeout=STATEMENT)
        with self.lock():
            self.execute_sql(f"CREATE TABLE IF NOT EXISTS {PROGRESS} (migration varchar(191) PRIMARY KEY)")
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT migration FROM {PROGRESS}")  # noqa: S608 (a constant)
                self.cut = {row[0] for row in cursor.fetchall()}
            super().handle(*args, **options)
            # Those that have expired are taken away by nobody else.
            call_command("clearsessions")
            if settings.VARIANT == "lms":
                call_command("cleartokens")
        if reindex:
            self.reindex()

    def reindex(self):
        """What the search has lost, such as with its volume, is there again."""
        try:
            self.stdout.write(f"search index: {search.reindex(store.published())} courses")
        except ElasticsearchException as error:
            raise CommandError(f"elasticsearch: {type(error).__name__}: {str(error)[:300]}") from error

    def wait(self, names):
        """Until the named checks pass, LIMIT seconds at most; says what it waits for."""
        until, said = time.monotonic() + LIMIT, None
        while missing := {n: c["message"] for n, c in heartbeat.run(names, 4).items() if not c["status"]}:
            told = "; ".join(f"{name} ({message})" for name, message in missing.items())
            if time.monotonic() > until:
                raise CommandError(f"gave up after {LIMIT} s of waiting for {told}")
            if sorted(missing) != said:
                self.stdout.write(f"waiting for {told}")
                self.stdout.flush()
                said = sorted(missing)
            time.sleep(1)

    @contextmanager
    def lock(self):
        """MySQL's named lock, held by this connection: a killed run frees it by itself."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT GET_LOCK(%s, %s)", [LOCK, LIMIT])
            if cursor.fetchone()[0] != 1:
                raise CommandError(
                    f"another migration has been running for {LIMIT} s; try again when it has ended"
                )
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT RELEASE_LOCK(%s)", [LOCK])

    def execute_sql(self, sql, params=()):
        with connection.cursor() as cursor:
            cursor.execute(sql, params)

    def migration_progress_callback(self, action, migration=None, fake=False):
        if action == "apply_start":
            ResumableSchemaEditor.resuming = str(migration) in self.cut
            self.execute_sql(f"REPLACE INTO {PROGRESS} VALUES (%s)", [str(migration)])  # noqa: S608
        elif action == "apply_success":
            ResumableSchemaEditor.resuming = False
            self.execute_sql(f"DELETE FROM {PROGRESS} WHERE migration = %s", [str(migration)])  # noqa: S608
        super().migration_progress_callback(action, migration, fake)
