"""Where the program stands: the four steps, what holds teams up, and what waits for whom."""
