"""`migrate`, safe to kill and to start twice."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import connection
from elasticsearch import ElasticsearchException

from courses import search, store
from standin import heartbeat
from standin.mysql.schema import ResumableSchemaEditor

LOCK = "edxapp.migrate"
# The table has a row for the migration under way; a row at the start is of an interrupted one.
PROGRESS = "standin_migration_under_way"
# Seconds to wait for a store or another migration, and for one statement.
LIMIT, STATEMENT = 60, 1800


class Command(migrate.Command):
    """Waits for its stores, takes a lock that ends with its connection, and resumes an interrupted migration."""

    # Django's checks would query the database before it is available.
    requires_system_checks: Sequence[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --reindex to Django's options."""
        super().add_arguments(parser)
        parser.add_argument("--reindex", action="store_true", help="then index the published courses anew")

    def handle(self, *args: Any, reindex: bool = False, **options: Any) -> None:
        """Run the migrations."""
        self.wait(("sql", "modulestore", "elasticsearch") if reindex else ("sql", "modulestore"))
        # Longer than for pages: changing a large table takes long.
        connection.settings_dict["OPTIONS"].update(read_timeout=STATEMENT, write_timeout=STATEMENT)
        with self.lock():
            self.execute_sql(f"CREATE TABLE IF NOT EXISTS {PROGRESS} (migration varchar(191) PRIMARY KEY)")
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT migration FROM {PROGRESS}")  # noqa: S608 (a constant)
                self.interrupted = {row[0] for row in cursor.fetchall()}
            super().handle(*args, **options)
            # Nothing else deletes expired sessions.
            call_command("clearsessions")
            if settings.VARIANT == "lms":
                call_command("cleartokens")
        if reindex:
            self.reindex()

    def reindex(self) -> None:
        """Index all published courses, for example after the search's data was lost."""
        try:
            self.stdout.write(f"search index: {search.reindex(store.published())} courses")
        except ElasticsearchException as error:
            raise CommandError(f"elasticsearch: {type(error).__name__}: {str(error)[:300]}") from error

    def wait(self, names: Iterable[str]) -> None:
        """Wait until the named checks pass, at most LIMIT seconds, and print what it waits for."""
        names = tuple(names)
        until, printed = time.monotonic() + LIMIT, [""]
        while missing := {n: c["message"] for n, c in heartbeat.run(names, 4).items() if not c["status"]}:
            missing_text = "; ".join(f"{name} ({message})" for name, message in missing.items())
            if time.monotonic() > until:
                raise CommandError(f"gave up after {LIMIT} s of waiting for {missing_text}")
            if sorted(missing) != printed:
                self.stdout.write(f"waiting for {missing_text}")
                self.stdout.flush()
                printed = sorted(missing)
            time.sleep(1)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold MySQL's named lock by this connection; a killed run releases it."""
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

    def execute_sql(self, sql: str, params: Sequence[str] = ()) -> None:
        """Run one statement."""
        with connection.cursor() as cursor:
            cursor.execute(sql, params)

    def migration_progress_callback(self, action: str, migration: object = None, fake: bool = False) -> None:
        """Record which migration is under way."""
        if action == "apply_start":
            ResumableSchemaEditor.resuming = str(migration) in self.interrupted
            self.execute_sql(f"REPLACE INTO {PROGRESS} VALUES (%s)", [str(migration)])  # noqa: S608
        elif action == "apply_success":
            ResumableSchemaEditor.resuming = False
            self.execute_sql(f"DELETE FROM {PROGRESS} WHERE migration = %s", [str(migration)])  # noqa: S608
        super().migration_progress_callback(action, migration, fake)
