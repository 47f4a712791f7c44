"""The program overview: the four steps, bottlenecks, and my work."""
