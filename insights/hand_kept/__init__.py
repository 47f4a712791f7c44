"""Hand-kept metrics as the web reads and writes them.  docs/hand-kept.md."""
