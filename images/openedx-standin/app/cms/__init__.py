"""The authors' side, the studio."""
