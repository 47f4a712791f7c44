"""The page `/insights/delivery/`: how fast and how safely changes reach users."""
