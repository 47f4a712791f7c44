"""Questions to the models that more than one place asks."""
