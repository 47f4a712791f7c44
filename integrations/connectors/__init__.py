"""Providers, and drafts of what they send.  docs/connectors.md.  No Django, and nothing is stored here."""
