"""Keeps the mails of a portal that sends none, and shows them."""
