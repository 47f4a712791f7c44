"""The work types of items that no rule decides, predicted from their titles."""
