"""The `portal` command: a library first, a command second."""
