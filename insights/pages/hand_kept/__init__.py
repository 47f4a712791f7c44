"""The pages of hand-kept metrics: their list, definitions, values, and the import."""
