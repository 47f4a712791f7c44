"""Benchmarks, and the metrics that a unit concentrates on.  docs/benchmarks.md."""
