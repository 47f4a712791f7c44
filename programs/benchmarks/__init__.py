"""Benchmarks, and the focus of a unit.  docs/benchmarks.md."""
