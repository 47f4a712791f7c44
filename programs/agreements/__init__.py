"""Working agreements of units, as their managers edit them, with a preview of their effect."""
