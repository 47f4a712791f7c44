"""Shared parts of the histories of tickets and objectives."""
