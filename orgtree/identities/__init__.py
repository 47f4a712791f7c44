"""Identity resolution: matching, decisions and the review queue.  docs/identities.md."""
