"""Decides which parts are lacking and makes them, side by side."""
