"""Mechanics without a domain: nothing here knows of people, facts or figures."""
