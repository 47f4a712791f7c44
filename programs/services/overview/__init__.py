"""Where the program stands: the four steps, what waits for whom, what holds teams up, and the guided start."""
