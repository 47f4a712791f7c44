"""Anthropic: usage, cost and Claude Code analytics of an organisation."""
