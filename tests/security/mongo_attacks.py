"""Attacks on the mongo image, run inside a container that has its driver: mongo_attacks.py HOST.

Prints a JSON object: each attack's name, and what the server said to it. The password comes in the environment.
"""

# The driver is in the container alone.
# mypy: ignore-errors
# ruff: noqa: SIM905

import base64
import hashlib
import hmac
import json
import os
import socket
import struct
import sys

import bson
import pymongo
from bson.codec_options import CodecOptions

PASSWORD = os.environ["PASSWORD"]
USER = DATABASE = "openedx"
LIMIT_SECONDS = 5
WRONG = "x" * len(PASSWORD)


class Wire:
    """One connection, message by message: what no well-behaved driver sends."""

    def __init__(self, host):
        self.socket = socket.create_connection((host, 27017), timeout=LIMIT_SECONDS)

    def message(self, command, database=DATABASE):
        """The answer to an OP_MSG."""
        body = struct.pack("<IB", 0, 0) + bson.encode({**command, "$db": database})
        return bson.decode(self._sent(2013, body)[5:])

    def query(self, command, collection=f"{DATABASE}.$cmd"):
        """The first document of the answer to an OP_QUERY, the protocol's oldest way."""
        body = (
            struct.pack("<I", 0)
            + collection.encode()
            + b"\0"
            + struct.pack("<ii", 0, -1)
            + bson.encode(command)
        )
        answer = self._sent(2004, body)
        documents = bson.decode_all(answer[20:], CodecOptions())
        return documents[0] if documents else {}

    def _sent(self, code, body):
        self.socket.sendall(struct.pack("<iiii", 16 + len(body), 1, 0, code) + body)
        length = struct.unpack("<i", self._read(4))[0]
        return self._read(length - 4)[12:]

    def _read(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise ConnectionError("closed")
            data += more
        return data

    def start(self, *, mechanism="SCRAM-SHA-256", header="n,,", user=USER, database=DATABASE, nonce="n" * 24):
        """The first step of SCRAM; keeps what the second is made of."""
        self.header, self.first = header, f"n={user},r={nonce}"
        answer = self.message(
            {"saslStart": 1, "mechanism": mechanism, "payload": (header + self.first).encode()}, database
        )
        self.challenge = answer.get("payload", b"").decode()
        return answer

    def last(self, password=PASSWORD, *, nonce=None, header=None):
        """The client's last message."""
        challenge = dict(each.split("=", 1) for each in self.challenge.split(","))
        salted = hashlib.pbkdf2_hmac(
            "sha256", password.encode(), base64.b64decode(challenge["s"]), int(challenge["i"])
        )
        key = hmac.digest(salted, b"Client Key", "sha256")
        channel = base64.b64encode((header or self.header).encode()).decode()
        bare = f"c={channel},r={nonce or challenge['r']}"
        signed = ",".join((self.first, self.challenge, bare)).encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()
        return f"{bare},p={proof}".encode()

    def proceed(self, payload, conversation=1):
        """The second step."""
        return self.message({"saslContinue": 1, "conversationId": conversation, "payload": payload})

    def rights(self):
        """Whether the connection may read."""
        return self.message({"find": "secrets"}).get("ok") == 1


def outcome(answer):
    """The result of an answer in a word: `allowed`, or the error's name."""
    return "allowed" if answer.get("ok") == 1 else answer.get("codeName", "refused")


def driver(host, **more):
    limit = LIMIT_SECONDS * 1000
    return pymongo.MongoClient(
        host, serverSelectionTimeoutMS=limit, socketTimeoutMS=limit, retryWrites=False, **more
    )


def known(host, password=PASSWORD, **more):
    return driver(host, **{"username": USER, "password": password, "authSource": DATABASE, **more})


def by_driver(client):
    """What a real driver is told."""
    try:
        client[DATABASE].secrets.find_one()
    except pymongo.errors.OperationFailure as error:
        return error.details.get("codeName", "refused")
    return "allowed"


def authenticated(host):
    wire = Wire(host)
    wire.start()
    wire.proceed(wire.last())
    assert wire.rights()
    return wire


def half_way(host):
    """A conversation that was begun gives no rights."""
    wire = Wire(host)
    wire.start()
    return outcome(wire.message({"find": "secrets"}))


def wrong_then_right(host):
    """A conversation is good for one try: the right proof, sent behind a wrong one, is too late."""
    wire = Wire(host)
    wire.start()
    wire.proceed(wire.last(WRONG))
    return outcome(wire.proceed(wire.last()))


def replay(host):
    """A proof that was seen on one connection, on another with the same client's nonce."""
    wire = Wire(host)
    wire.start()
    proof = wire.last()
    assert outcome(wire.proceed(proof)) == "allowed"
    again = Wire(host)
    again.start()
    return outcome(again.proceed(proof))


def replayed_whole(host):
    """The same, on the connection where it was good once and that has logged out."""
    wire = Wire(host)
    wire.start()
    proof = wire.last()
    wire.proceed(proof)
    wire.message({"logout": 1})
    assert not wire.rights()
    return outcome(wire.proceed(proof))


def stolen(host):
    """Somebody else's conversation is not to be continued."""
    one, other = Wire(host), Wire(host)
    one.start()
    return outcome(other.proceed(one.last()))


def step(host, payload, **more):
    wire = Wire(host)
    wire.start(**more)
    return outcome(wire.proceed(payload(wire)))


def closed(question):
    """What comes of a message that a server may answer by hanging up."""
    try:
        answer = question()
    except ConnectionError:
        return "closed"
    return outcome(answer) if answer else "closed"


ADMIN = ("listDatabases", "getLog", "hostInfo", "getCmdLineOpts", "renameCollection", "connectionStatus")
COMMANDS = (
    "find aggregate count distinct getMore insert update delete findAndModify drop dropDatabase create createIndexes "
    "listCollections listIndexes collStats dbStats serverStatus killCursors validate whatsmyuri getLastError "
    "replSetGetStatus endSessions authenticate getnonce createUser usersInfo shutdown eval FIND Find"
).split()
DATABASES = ("openedx", "cs_comments_service", "admin", "local", "config", "$external")


def attacks(host):
    """Every attack, by name."""
    wire = Wire(host)
    for command in (*COMMANDS, *ADMIN):
        for database in DATABASES:
            yield f"no log-in: {command} on {database}", outcome(wire.message({command: "secrets"}, database))
    yield "no log-in, OP_QUERY: find", closed(lambda: Wire(host).query({}, f"{DATABASE}.secrets"))
    yield "no log-in, OP_QUERY: find command", closed(lambda: Wire(host).query({"find": "secrets"}))
    yield "no log-in, OP_QUERY: $query", closed(lambda: Wire(host).query({"$query": {"find": "secrets"}}))
    yield "no log-in, OP_QUERY: serverStatus", closed(lambda: Wire(host).query({"serverStatus": 1}))
    yield "no log-in, OP_QUERY: inprog", closed(lambda: Wire(host).query({}, "admin.$cmd.sys.inprog"))
    # The command is the first key, whatever stands behind it.
    yield "a free command in front", outcome(wire.message({"find": "secrets", "ping": 1, "hello": 1}))
    yield "a database that is no text", closed(lambda: Wire(host).message({"find": "secrets", "$db": 1}))
    yield "a driver without log-in", by_driver(driver(host))
    yield "a wrong password", by_driver(known(host, WRONG))
    yield "no password", by_driver(known(host, " "))
    yield "another user", by_driver(known(host, username="admin"))
    yield "another database's user", by_driver(known(host, authSource="admin"))
    yield "an older mechanism", by_driver(known(host, authMechanism="SCRAM-SHA-1"))
    yield "the password in clear", by_driver(known(host, authMechanism="PLAIN", authSource="$external"))
    for mechanism in (
        "SCRAM-SHA-1",
        "PLAIN",
        "MONGODB-X509",
        "MONGODB-CR",
        "ANONYMOUS",
        "EXTERNAL",
        "",
        None,
        1,
    ):
        yield f"mechanism {mechanism}", outcome(Wire(host).start(mechanism=mechanism))
    yield "half-way", half_way(host)
    yield "wrong, then right", wrong_then_right(host)
    yield "replay", replay(host)
    yield "replayed after a log-out", replayed_whole(host)
    yield "another's conversation", stolen(host)
    yield "without a beginning", outcome(Wire(host).proceed(b"c=biws,r=x,p=x"))
    yield "a channel that is bound", outcome(Wire(host).start(header="p=tls-unique,,"))
    yield "as somebody else", outcome(Wire(host).start(header="n,a=admin,"))
    yield "the header changed", step(host, lambda w: w.last(header="y,,"))
    yield "the nonce cut short", step(host, lambda w: w.last(nonce="n" * 24))
    yield "no nonce", outcome(Wire(host).start(nonce=""))
    yield "an empty proof", step(host, lambda w: w.last().rpartition(b",p=")[0] + b",p=")
    yield "no proof", step(host, lambda w: w.last().rpartition(b",p=")[0])
    yield (
        "a proof of zeros",
        step(host, lambda w: w.last().rpartition(b",p=")[0] + b",p=" + base64.b64encode(bytes(32))),
    )
    yield "an empty payload", step(host, lambda w: b"")
    yield "a payload that is a text", step(host, lambda w: w.last().decode())
    yield "a long payload", step(host, lambda w: w.last() + b"A" * 100_000)
    yield "another number", outcome(_other_number(host))


def _other_number(host):
    wire = Wire(host)
    wire.start()
    return wire.proceed(wire.last(), conversation=2)


def rights(host):
    """What may be done, without and with the password."""
    stranger = Wire(host)
    yield "stranger: ping", outcome(stranger.message({"ping": 1}))
    yield "stranger: hello", outcome(stranger.message({"hello": 1, "saslSupportedMechs": "openedx.nobody"}))
    yield "stranger: buildInfo", outcome(stranger.message({"buildInfo": 1}, "admin"))
    yield "driver: find", by_driver(known(host))
    yield "driver: find, mechanism named", by_driver(known(host, authMechanism="SCRAM-SHA-256"))
    friend = authenticated(host)
    yield "friend: listDatabases", outcome(friend.message({"listDatabases": 1}, "admin"))
    yield "friend: serverStatus", outcome(friend.message({"serverStatus": 1}))
    # So that a hanging up above is a refusal, not a message that nobody understands.
    yield "friend: OP_QUERY find command", outcome(friend.query({"find": "secrets"}))
    yield "friend: OP_QUERY $query", outcome(friend.query({"$query": {"find": "secrets"}}))
    yield "friend: OP_QUERY inprog", closed(lambda: {**friend.query({}, "admin.$cmd.sys.inprog"), "ok": 1})
    databases = {each["name"] for each in friend.message({"listDatabases": 1}, "admin")["databases"]}
    # Asking without a log-in makes nothing.
    yield "databases that strangers made", sorted(databases & {"config", "$external", "local"})


if __name__ == "__main__":
    print(json.dumps({"attacks": dict(attacks(sys.argv[1])), "rights": dict(rights(sys.argv[1]))}))
