"""Become the Pulumi CLI with a lock of the kernel's that lasts as long as it: `python -I -S locked_cli.py FILE WORD...`.

Whoever can have the lock knows that no CLI of a killed run is left, even where its process cannot be seen. It is POSIX's kind
of lock, which is the process's own: what the CLI starts (plugins that may outlive it by minutes) does not inherit it.
"""

import errno
import fcntl
import os
import sys

# What it ends with where somebody has the lock; none of the CLI's own codes.
EXIT_LOCK_HELD = 75


def main(words: list[str]) -> None:
    """Take the lock and become the words after it; ends with EXIT_LOCK_HELD where somebody has it."""
    held = os.open(words[0], os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        print(
            f"error: cannot take the lock of this stack's Pulumi CLI, {words[0]}: {error.strerror}",
            file=sys.stderr,
        )
        # POSIX lets a system say either.
        sys.exit(EXIT_LOCK_HELD if error.errno in (errno.EAGAIN, errno.EACCES) else 1)
    os.set_inheritable(held, True)
    try:
        os.execvp(words[1], words[1:])  # noqa: S606
    except OSError as error:
        sys.exit(f"error: {words[1]} cannot be run: {error.strerror}; run `./portal setup`")


if __name__ == "__main__":
    main(sys.argv[1:])
