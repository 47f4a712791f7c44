"""Objectives: writing, check-ins, decisions, templates.  docs/objectives.md."""
