"""Hand-kept metrics: their definitions, and values that people and programs enter.  docs/hand-kept.md."""
