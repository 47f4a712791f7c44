"""Pages on which notes on charts are written and listed."""
