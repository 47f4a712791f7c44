"""Roadmaps: what teams improve in which quarter, and which metrics matter to which persona."""
