"""Attacks that were tried, and stay as tests."""
