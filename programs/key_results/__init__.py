"""Key results: what they measure, how they stand, and where they will be at the end of the quarter."""
