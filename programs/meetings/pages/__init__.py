"""Pages of meetings, and calendar feeds."""
