"""The page `/insights/allocation/`: what people's time goes to, against what it should go to."""
