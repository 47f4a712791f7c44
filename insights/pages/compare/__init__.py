"""The page `/insights/compare/`: units beside each other, metric by metric."""
