"""The published measurement philosophy.  docs/philosophy.md."""
