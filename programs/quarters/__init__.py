"""Fiscal quarters of the program."""
