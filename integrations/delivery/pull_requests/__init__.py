"""Pull requests: stages, waits, reverts, linked items, and the figures that metrics read."""
