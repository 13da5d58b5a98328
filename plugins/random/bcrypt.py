"""The bcrypt hash of a password, by the C library's crypt."""

import base64
import ctypes
import secrets

LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2")
COST = 10
ALPHABETS = (
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
)


def bcrypt_hash(text: str) -> str | None:
    """Return the hash, or None where the machine's C library knows no bcrypt."""
    setting = f"$2a${COST}${_salt()}".encode()
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        # crypt keeps its answer in a buffer of its own; crypt_ra allocates one a call, for threads.
        crypt = library.crypt_ra
        crypt.restype = ctypes.c_char_p
        crypt.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p)
        data, size = ctypes.c_void_p(None), ctypes.c_int(0)
        hashed = crypt(text.encode(), setting, ctypes.byref(data), ctypes.byref(size))
        return hashed.decode() if hashed and hashed.startswith(b"$2") else None
    return None


def _salt() -> str:
    plain = base64.b64encode(secrets.token_bytes(16)).rstrip(b"=")
    return plain.translate(bytes.maketrans(*ALPHABETS)).decode()
