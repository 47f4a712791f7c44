"""Closes quarters: scores, carry-over, the frozen document, and restated values."""
