"""Prices of tokens: price lists, overrides, and the price of a day.  docs/spend.md."""
