"""What can be asked: metric, window, scope, filters, splits and measures, as plain data."""
