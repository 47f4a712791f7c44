"""Which units are teams, and for which of them somebody may write."""
