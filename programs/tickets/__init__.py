"""Action tickets.  See docs/action-plans.md."""
