"""Providers: what they send, as drafts.  docs/connectors.md.  No Django, and nothing is stored here."""
