"""Working agreements of units: what is in force where and when, and what follows when that changes."""
