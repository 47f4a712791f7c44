"""Sessions and their days, folded from events and metrics.  docs/sessions.md."""
