"""Comments on tickets and findings, by anybody who may see them."""
