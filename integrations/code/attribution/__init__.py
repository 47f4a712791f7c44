"""Which lines of a commit came from which session: evidence, and the best of it.  docs/attribution.md."""
