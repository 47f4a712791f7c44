"""Sprints: which items were in each and when, what was committed, and the outcome."""
