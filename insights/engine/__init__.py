"""The one way to a figure: a question becomes one DuckDB statement over the rows of a relation."""
