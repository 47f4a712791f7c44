"""Working agreements of units: the one in force at a place and date, and recomputing after a change."""
