"""Meetings of reviews and QBRs: series, invitations, calendar feeds.  See docs/meetings.md."""
