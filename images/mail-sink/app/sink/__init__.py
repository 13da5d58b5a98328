"""Stores and shows the mails of a portal that sends no mail outside."""
