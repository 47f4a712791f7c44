"""Whose a login or an address is: likeness, matching, decisions and their queue.  docs/identities.md."""
