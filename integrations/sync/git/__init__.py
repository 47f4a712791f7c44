"""Syncing repositories on this machine, and mirrors."""
