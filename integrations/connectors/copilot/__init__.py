"""GitHub Copilot: use and seats of organisations, or of an enterprise."""
