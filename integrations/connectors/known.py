"""Imports every connector; a new one is added here."""
