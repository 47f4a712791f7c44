"""Alignment: which objective supports which."""
