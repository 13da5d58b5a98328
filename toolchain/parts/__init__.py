"""One part of a machine's toolchain a file: whether it is there, and how it is made."""
