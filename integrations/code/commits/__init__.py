"""Stored commits: authors, bots, duplicates, repositories, bulk imports."""
