"""Providers, and drafts of the records that they send.  See docs/connectors.md.  No Django, and nothing is stored
here.
"""
