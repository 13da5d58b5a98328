"""Servers that a mailer meets, run inside containers: mail_servers.py authority|smarthost|mx|dns|client …

authority NAME       prints a certificate for NAME, its key and that of the authority who signed it, as JSON
smarthost ACCOUNT    SMTP on 8025 with STARTTLS and log-in; `plain` for ACCOUNT: without STARTTLS.
                     Refuses refused@ for good, busy@ once; with `nobounces` behind it, an empty sender
mx                   SMTP on 8025 that takes everything
dns ZONE=ADDRESS …   DNS on 53: an MX and an A record for each
client HOST          ends well once HOST greets it

What a server has taken it prints, a line of JSON a mail.
"""

# The libraries are in the containers alone.
# mypy: ignore-errors

import asyncio
import json
import socket
import ssl
import subprocess
import sys
from pathlib import Path

HOME = Path("/tmp")


def authority(name):
    """A certificate for a name, signed by its own authority."""
    subject = f"subjectAltName=DNS:{name}"
    new = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    quiet = {"check": True, "cwd": HOME, "stderr": subprocess.DEVNULL}
    subprocess.run([*new, "-subj", "/CN=trial", "-keyout", "ca.key", "-out", "ca.crt"], **quiet)
    subprocess.run(
        [
            *new, "-subj", f"/CN={name}", "-addext", subject, "-addext", "basicConstraints=critical,CA:FALSE",
            "-CA", "ca.crt", "-CAkey", "ca.key", "-keyout", "own.key", "-out", "own.crt",
        ],
        **quiet,
    )  # fmt: skip
    print(
        json.dumps({name: (HOME / name).read_text() for name in ("ca.crt", "own.crt", "own.key")}), flush=True
    )


class MailReceiver:
    """Accepts every mail except those to some recipients."""

    def __init__(self, bounces=True):
        self.bounces = bounces
        self.busy = True

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@") or not (self.bounces or envelope.mail_from != "<>"):
            return "550 not here"
        if address.startswith("busy@") and self.busy:
            self.busy = False
            return "451 later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "to": envelope.rcpt_tos,
            "from": envelope.mail_from,
            "subject": subject_of(envelope.content),
            "size": len(envelope.content),
            "tls": session.ssl["cipher"][1] if session.ssl else "",
            "helo": session.host_name,
            "user": session.auth_data.decode() if session.auth_data else "",
        }
        print(json.dumps(mail), flush=True)
        return "250 taken"


def subject_of(content):
    """The subject, as it stands."""
    lines = content.decode("utf-8", "replace").splitlines()
    return next((line[9:] for line in lines if line.startswith("Subject: ")), "")


async def smarthost(account, *more):
    """Accepts mail only after a log-in, and only over TLS unless the account is `plain`."""
    from aiosmtpd.smtp import SMTP, AuthResult

    def known(server, session, envelope, mechanism, data):
        login = f"{data.login.decode()}:{data.password.decode()}"
        # handled=False: otherwise aiosmtpd says nothing, and the client waits.
        return AuthResult(success=login == account, handled=False, auth_data=data.login)

    context = None
    if account != "plain":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("/srv/own.crt", "/srv/own.key")
    loop = asyncio.get_running_loop()
    taker = MailReceiver(bounces="nobounces" not in more)
    server = await loop.create_server(
        lambda: SMTP(
            taker,
            authenticator=known,
            auth_required=context is not None,
            auth_require_tls=True,
            require_starttls=context is not None,
            tls_context=context,
            hostname="smarthost.test",
            loop=loop,
        ),
        "0.0.0.0",
        8025,
    )
    await server.serve_forever()


async def mx():
    """Accepts every mail."""
    from aiosmtpd.smtp import SMTP

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(MailReceiver(), hostname="mx.test", loop=loop), "0.0.0.0", 8025
    )
    await server.serve_forever()


def dns(*zones):
    """Answers for some zones; no such name for others."""
    known = dict(each.split("=") for each in zones)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", 53))
    while True:
        query, client = server.recvfrom(2048)
        server.sendto(answer(query, known), client)


def answer(query, known):
    """The answer to one question: MX of a zone is mx.ZONE, whose A is the zone's address."""
    end, labels = 12, []
    while query[end]:
        labels.append(query[end + 1 : end + 1 + query[end]].decode().lower())
        end += 1 + query[end]
    end += 1
    name, kind = ".".join(labels), int.from_bytes(query[end : end + 2], "big")
    question = query[12 : end + 4]
    zone = name.removeprefix("mx.")
    data = b""
    if kind == 15 and name in known:
        data = b"\x00\x0a\x02mx\xc0\x0c"
    elif kind == 1 and zone in known and name.startswith("mx."):
        data = socket.inet_aton(known[zone])
    record = b"\xc0\x0c" + query[end : end + 4] + b"\0\0\0\x05" + len(data).to_bytes(2, "big") + data
    code = b"\x84\x00" if zone in known else b"\x84\x03"
    head = query[:2] + code + b"\0\1" + (b"\0\1" if data else b"\0\0") + b"\0\0\0\0"
    return head + question + (record if data else b"")


def main(verb, *words):
    """Runs one of them."""
    if verb == "authority":
        authority(*words)
    elif verb == "dns":
        dns(*words)
    elif verb == "client":
        with socket.create_connection((words[0], 8025), timeout=10) as talk:
            greeting = talk.recv(100)
        sys.exit(not greeting.startswith(b"220"))
    else:
        asyncio.run({"smarthost": smarthost, "mx": mx}[verb](*words))


if __name__ == "__main__":
    main(*sys.argv[1:])
