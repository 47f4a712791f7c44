"""The columnar copy of the facts: rows of published relations as Parquet files, which DuckDB queries."""
