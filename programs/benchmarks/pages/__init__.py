"""Pages of benchmarks, and of what a unit concentrates on."""
