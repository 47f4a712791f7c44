"""Commits as they are stored: authors, bots, duplicates, repositories, bulk imports."""
