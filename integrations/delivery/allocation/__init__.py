"""Allocation: weeks of people are shared over the work in them, and rules assign work to categories."""
