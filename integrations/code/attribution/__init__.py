"""Which lines of a commit came from which agent session, by the strongest evidence.  docs/attribution.md."""
