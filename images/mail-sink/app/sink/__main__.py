"""Takes mail on 8025 and shows it on 8026. Told by SINK_TITLE and SINK_USERNAME, and the secret admin-password."""

import asyncio
import logging
import os
import sys
from pathlib import Path

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session

from sink.page import application
from sink.store import Store

DATA = Path("/data")
SECRET = Path("/run/secrets/admin-password")
# As the mailer's own limit, with room for the headers that it adds.
LARGEST = 21 * 1024 * 1024
IDLE_SECONDS = 60


class Inbox:
    """What comes in by SMTP is acknowledged once it is on the disk."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a mail."""
        content = envelope.content or b""
        assert isinstance(content, bytes)
        try:
            name = await asyncio.to_thread(
                self.store.add, content, envelope.mail_from or "", list(envelope.rcpt_tos)
            )
        except OSError as error:
            print(f"mail-sink: cannot keep a mail: {error}", file=sys.stderr)
            return "451 cannot keep it now"
        print(f"mail-sink: kept {name} for {', '.join(envelope.rcpt_tos)[:200]}", flush=True)
        return f"250 kept as {name}"


async def serve(store: Store, title: str, username: str, password: str) -> None:
    """Both doors, until SIGTERM."""
    inbox = Inbox(store)
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(
        lambda: SMTP(
            inbox,
            data_size_limit=LARGEST,
            hostname="mail-sink",
            ident="sink",
            timeout=IDLE_SECONDS,
            loop=loop,
        ),
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
        )
    )
    print("mail-sink: a sink: what comes in stays here, the last 500 mails", flush=True)
    async with smtp:
        await pages.serve()


def main() -> int:
    """1 with a line that says what is missing, else 0 at the end."""
    # aiosmtpd tells of every connection otherwise.
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
