"""Domain-free mechanics: nothing here knows about people, facts or figures."""
