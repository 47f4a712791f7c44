"""Metric queries as plain data: metric, window, scope, filters, splits and measures."""
