"""Teams among the units, and permission to write for them."""
