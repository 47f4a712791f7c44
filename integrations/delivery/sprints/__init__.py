"""Sprints: what was in which when, what was committed, and what became of it."""
