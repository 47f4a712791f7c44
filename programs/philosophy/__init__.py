"""The published measurement philosophy.  See docs/philosophy.md."""
