"""People: the list, one person, and their history.  docs/people.md."""
