"""Jenkins: controllers of the weekly and the long-term support (LTS) line."""
