"""The metric catalogue: one module per family with its declarations, and the kinds of metric."""
