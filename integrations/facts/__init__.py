"""Relations for the metric engine: one SELECT each, with documented columns."""
