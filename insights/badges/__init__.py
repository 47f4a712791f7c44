"""Badges: figures for READMEs and wikis."""
