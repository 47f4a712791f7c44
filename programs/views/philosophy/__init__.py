"""The page of the organisation's measurement philosophy."""
