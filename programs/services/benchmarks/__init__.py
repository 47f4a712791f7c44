"""Agreeing on benchmarks and on what to concentrate on, and what to go by."""
