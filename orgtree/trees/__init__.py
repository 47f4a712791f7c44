"""Org Trees: units, where people are placed and when.  docs/org-trees.md."""
