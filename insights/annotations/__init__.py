"""Notes on charts: who may write them, and which charts show them."""
