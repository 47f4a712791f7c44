"""The page `/insights/compare/`: units side by side, metric by metric."""
