"""Organisation-wide state: fiscal calendar, people version, write lock, presence events."""
