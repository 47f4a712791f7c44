"""A metric's page: its trend, its chain, its split by unit, how it is spread, its rows and its definition."""
