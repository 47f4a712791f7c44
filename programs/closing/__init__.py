"""Closing a quarter: scores, what is carried over, the frozen document, and what reads differently today."""
