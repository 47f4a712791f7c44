"""Experiments: design, verdict and the log of what worked."""
