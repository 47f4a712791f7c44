"""Key results: measurement, status and forecast."""
