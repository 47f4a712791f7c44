"""Pages that list and edit notes on charts."""
