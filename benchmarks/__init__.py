"""Measures a portal against Docker Compose: in the same run, on the same machine, with the same containers."""
