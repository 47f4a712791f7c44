"""Action tickets.  docs/action-plans.md."""
