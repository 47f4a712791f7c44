"""What tokens cost: price lists, overrides, and the price of a day.  docs/spend.md."""
