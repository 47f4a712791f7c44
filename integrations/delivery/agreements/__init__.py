"""Working agreements of units: which is in force where and when, and recomputing after a change."""
