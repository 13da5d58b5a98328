"""Checks of single values: names, hosts, paths on the drive, where a portal runs."""
