"""Telling people: planning notices, the outbox, quiet hours, and handing letters over.  docs/reminders.md."""
