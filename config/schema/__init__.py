"""The editors' schema of tenant files, and the manual of each key."""
