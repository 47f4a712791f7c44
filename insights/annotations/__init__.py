"""Notes on charts: who writes them, and where they stand."""
