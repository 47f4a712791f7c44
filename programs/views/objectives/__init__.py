"""Pages of quarterly objectives: the list, one objective, its form, check-ins, and the closing of a quarter."""
