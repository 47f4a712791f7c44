"""What the words of a provider mean here: work types, states, priorities, environments."""
