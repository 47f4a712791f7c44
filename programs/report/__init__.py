"""The executive report of a unit and a quarter: written by rules, frozen, and on request reworded by a model."""
