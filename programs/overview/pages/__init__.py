"""Where the improvement program stands: the four steps, what waits for the viewer, and what holds teams up."""
