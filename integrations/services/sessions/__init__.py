"""One agent session as its page tells it: no prompt, no code, only what was counted (docs/sessions.md)."""
