"""Working agreements of units: their managers edit them and preview the effect."""
