"""Which messages one gets: the form of one's account, and the link that ends them without signing in."""
