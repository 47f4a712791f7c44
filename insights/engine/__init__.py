"""The metric engine: each fact query becomes one DuckDB statement over the rows of a relation."""
