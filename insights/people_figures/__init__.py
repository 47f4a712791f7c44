"""Figures of every person in the windows of the pages, kept ready by the background (docs/decisions/0030)."""
