"""Hand-kept metrics: their definitions, and the values that people and programs enter.  docs/hand-kept.md."""
