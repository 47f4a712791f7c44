"""Commits, the clones they come from, and which of their lines agents wrote."""
