"""Objectives: writing, check-ins, decisions, templates.  See docs/objectives.md."""
