"""Measures a portal against a peer in the same run, on the same machine, with the same containers."""
