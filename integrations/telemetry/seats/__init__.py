"""Seats of agents and their prices."""
