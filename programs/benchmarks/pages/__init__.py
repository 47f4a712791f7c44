"""Pages of benchmarks and focus."""
