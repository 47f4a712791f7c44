"""Shared code of the histories of tickets and objectives."""
