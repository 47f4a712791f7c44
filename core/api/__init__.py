"""Shared by the APIs of all apps."""
