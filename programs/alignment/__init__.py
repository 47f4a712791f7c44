"""Alignment: which objective serves which."""
