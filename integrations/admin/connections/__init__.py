"""Connections in Django admin: settings, progress, and actions."""
