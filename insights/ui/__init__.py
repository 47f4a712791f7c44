"""What pages are put together from: filters, scope and filter bars, tiles, charts, and the words of figures."""
