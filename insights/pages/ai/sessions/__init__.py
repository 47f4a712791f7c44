"""Agent sessions: the list of a scope's, and the page of one with its timeline.  docs/sessions.md."""
