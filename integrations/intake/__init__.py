"""Storing drafts as facts: identities, places, the newest value of every field, deletion."""
