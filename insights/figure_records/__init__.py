"""Figure records: the values of headline metrics when a period closed, and their restatements since."""
