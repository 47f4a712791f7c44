"""Meetings of reviews and QBRs: series, invitations, calendar feeds.  docs/meetings.md."""
