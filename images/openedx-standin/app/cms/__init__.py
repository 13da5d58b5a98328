"""The authors' site, the studio."""
