"""Allocation: people's weeks are shared over their work, and rules assign work to categories."""
