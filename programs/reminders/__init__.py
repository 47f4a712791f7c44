"""Notices: what is due, the inbox, e-mail and its outbox, quiet hours.  See docs/reminders.md."""
