"""Cursor: use and cost of a team."""
