"""The metrics: a module for each family that declares them, and the kinds of metric that they are declared with."""
