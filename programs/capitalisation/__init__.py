"""Software capitalisation: which people-time and AI spend of initiatives is eligible, and frozen periods."""
