"""Derives the shape of a tree on each day from dated rows about people.  Pure functions, no database."""
