"""The key that signs log-in tokens: each container derives the same key from the portal's secret, and stores it nowhere."""

import base64
import hashlib
import hmac
import json
from typing import Tuple

BITS = 2048
# The audience of the tokens that lms and cms give each other.
AUDIENCE = "openedx"
KID = "portal"


class Stream:
    """An endless stream of bytes derived from a secret (HMAC-SHA-256 in counter mode), for the search of primes."""

    def __init__(self, secret: str) -> None:
        self.secret, self.count, self.rest = secret.encode(), 0, b""

    def __call__(self, length: int) -> bytes:
        """The next bytes."""
        while len(self.rest) < length:
            self.count += 1
            self.rest += hmac.new(self.secret, b"jwt %d" % self.count, hashlib.sha256).digest()
        part, self.rest = self.rest[:length], self.rest[length:]
        return part


def keys(secret: str) -> Tuple[str, str]:
    """The private key and the set of public keys, as JSON, made with the library that edx-platform has."""
    from Cryptodome.PublicKey import RSA

    key = RSA.generate(BITS, randfunc=Stream(secret))
    public = {"kid": KID, "kty": "RSA", "n": _number(key.n), "e": _number(key.e)}
    # Without the primes: some libraries want all numbers of a key or only these, and compute the rest.
    private = dict(public, d=_number(key.d))
    return json.dumps(private, sort_keys=True), json.dumps({"keys": [public]}, sort_keys=True)


def _number(value: int) -> str:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
