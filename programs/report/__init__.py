"""The executive report of a unit and a quarter: written by rules, frozen, and by request worded by a model."""
