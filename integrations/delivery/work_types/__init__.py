"""The work type of items that no rule gives one, predicted from their titles."""
