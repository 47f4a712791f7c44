"""Experiments: design, verdict, and a log of results."""
