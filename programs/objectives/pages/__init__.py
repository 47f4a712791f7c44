"""Pages of quarterly objectives: the list, one objective, its form, its history, and check-ins."""
