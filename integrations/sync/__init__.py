"""Syncing connections: streams, slices of work, budgets, quarantine.  docs/connectors.md."""
