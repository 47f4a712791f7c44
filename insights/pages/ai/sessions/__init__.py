"""Agent sessions: the list of a scope, and the page of one session.  docs/sessions.md."""
