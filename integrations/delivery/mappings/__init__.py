"""Value mappings: a provider's values as work types, states, priorities, environments."""
