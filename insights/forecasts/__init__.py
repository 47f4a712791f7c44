"""Forecasts of epics, versions, labels and projects, and how well earlier ones held."""
