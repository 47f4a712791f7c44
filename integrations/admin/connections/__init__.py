"""Connections in Django admin: what is connected, how its reading goes, and what to do about it."""
