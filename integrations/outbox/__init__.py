"""Shared by writers of facts: the outbox of changes, work queues between packages, and locks."""
