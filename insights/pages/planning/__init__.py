"""The page `/insights/planning/`: what teams plan, and what becomes of it."""
