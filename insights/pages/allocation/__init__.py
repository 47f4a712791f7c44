"""The page `/insights/allocation/`: where people's time goes, compared with targets."""
