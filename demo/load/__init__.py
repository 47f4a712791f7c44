"""Loads the fictitious organisation by import, through the receiver and by connections."""
