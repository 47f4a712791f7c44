"""Benchmarks, and a unit's focus.  See docs/benchmarks.md."""
