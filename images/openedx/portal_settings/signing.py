"""The key that signs tokens of log-in: the same in every container of a portal, made anew from its secret, kept nowhere."""

import base64
import hashlib
import hmac
import json

BITS = 2048
# Who asks for a token of whom, in both directions.
AUDIENCE = "openedx"
KID = "portal"


class Stream:
    """Bytes without an end that follow from a secret: HMAC-SHA-256 in counter mode, for the search of primes."""

    def __init__(self, secret):
        self.secret, self.count, self.rest = secret.encode(), 0, b""

    def __call__(self, length):
        while len(self.rest) < length:
            self.count += 1
            self.rest += hmac.new(self.secret, b"jwt %d" % self.count, hashlib.sha256).digest()
        given, self.rest = self.rest[:length], self.rest[length:]
        return given


def keys(secret):
    """The private key and the set of public ones, as JSON. edx-platform's own library makes the key."""
    from Cryptodome.PublicKey import RSA

    key = RSA.generate(BITS, randfunc=Stream(secret))
    public = {"kid": KID, "kty": "RSA", "n": _number(key.n), "e": _number(key.e)}
    # Without its primes: one library wants all of a key's numbers or these, another finds the rest by itself.
    private = dict(public, d=_number(key.d))
    return json.dumps(private, sort_keys=True), json.dumps({"keys": [public]}, sort_keys=True)


def _number(value):
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
