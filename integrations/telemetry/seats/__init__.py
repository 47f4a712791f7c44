"""Seats of agents and their price."""
