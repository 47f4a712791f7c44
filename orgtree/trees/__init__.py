"""Org Trees: units and the dated placements of people in them.  docs/org-trees.md."""
