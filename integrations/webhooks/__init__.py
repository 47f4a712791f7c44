"""Deliveries of webhooks: verified, stored, and taken as nudges."""
