"""A metric's page: trend, chain, units, distribution, rows and definition."""
