"""Webhook deliveries: verified, stored, and processed."""
