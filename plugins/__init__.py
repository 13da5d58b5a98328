"""Pulumi resource plugins for machines that cannot download the official ones. See README.md."""
