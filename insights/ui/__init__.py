"""Building blocks of pages: filters, scope and filter bars, tiles, charts, and the formatting of figures."""
