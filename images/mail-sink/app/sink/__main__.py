"""Receives mail on 8025 and shows it on 8026. Reads SINK_TITLE, SINK_USERNAME and the secret admin-password."""

import asyncio
import logging
import os
import sys
import weakref
from pathlib import Path

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session

from sink.page import application
from sink.store import Store

DATA = Path("/data")
SECRET = Path("/run/secrets/admin-password")
# The mailer's own limit, and room for the headers that it adds.
LARGEST = 21 * 1024 * 1024
IDLE_SECONDS = 60
# The mailer delivers four mails at a time; the pages are one person's.
MOST_SMTP, MOST_PAGES = 32, 64


class TooManyConnections(asyncio.Protocol):
    """Answers a client when there are too many connections."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send 421: a mail server tries again later."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"421 too many connections\r\n")
        transport.close()


class Conversation(SMTP):
    """Counts as a connection from when it is created: in a burst, all are created before the first one begins."""

    ended = False

    def connection_lost(self, error: Exception | None) -> None:
        """The connection no longer counts."""
        self.ended = True
        super().connection_lost(error)


class Inbox:
    """Stores mails; a mail is acknowledged when it is on the disk."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Store a mail; returns the answer to the client."""
        content = envelope.content or b""
        assert isinstance(content, bytes)
        try:
            name = await asyncio.to_thread(
                self.store.add, content, envelope.mail_from or "", list(envelope.rcpt_tos)
            )
        except OSError as error:
            print(f"mail-sink: cannot store a mail: {error}", file=sys.stderr)
            return "451 cannot store it now"
        # Without recipients: the log has no mail addresses.
        print(f"mail-sink: kept {name} for {len(envelope.rcpt_tos)}", flush=True)
        return f"250 kept as {name}"


async def serve(store: Store, title: str, username: str, password: str) -> None:
    """Serve SMTP and pages until SIGTERM."""
    inbox = Inbox(store)
    loop = asyncio.get_running_loop()
    open_: weakref.WeakSet[Conversation] = weakref.WeakSet()

    def channel() -> asyncio.Protocol:
        if sum(not each.ended for each in open_) >= MOST_SMTP:
            return TooManyConnections()
        made = Conversation(
            inbox,
            data_size_limit=LARGEST,
            hostname="mail-sink",
            ident="sink",
            timeout=IDLE_SECONDS,
            loop=loop,
        )
        open_.add(made)
        return made

    smtp = await loop.create_server(
        channel,
        "0.0.0.0",  # noqa: S104 (the portal's private network)
        8025,
    )
    pages = uvicorn.Server(
        uvicorn.Config(
            application(store, title, username, password),
            host="0.0.0.0",  # noqa: S104
            port=8026,
            access_log=False,
            log_level="warning",
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=5,
            limit_concurrency=MOST_PAGES,
        )
    )
    print("mail-sink: a sink: mails stay here, the last 500 are kept", flush=True)
    async with smtp:
        await pages.serve()


def main() -> int:
    """Run the sink; returns 1 with a line that says what is missing, else 0."""
    # aiosmtpd logs each connection otherwise.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    username = os.environ.get("SINK_USERNAME", "")
    try:
        password = SECRET.read_text().strip()
        if not password or not username:
            raise ValueError("SINK_USERNAME or the secret admin-password is empty")
        if not os.access(DATA, os.W_OK):
            raise ValueError(f"{DATA} is not writable by user {os.getuid()}")
        store = Store(DATA)
    except (OSError, ValueError) as error:
        print(f"mail-sink: {error}", file=sys.stderr)
        return 1
    asyncio.run(serve(store, os.environ.get("SINK_TITLE", ""), username, password))
    return 0


if __name__ == "__main__":
    sys.exit(main())
