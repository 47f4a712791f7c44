"""The inbox: what one was told, and what of it was read."""
