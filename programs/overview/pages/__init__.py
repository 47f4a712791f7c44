"""Pages of the program overview: the four steps, my work, and bottlenecks."""
