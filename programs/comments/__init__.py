"""Comments on tickets and on findings, of those who may see them."""
