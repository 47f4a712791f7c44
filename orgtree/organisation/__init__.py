"""What holds for all people at once: fiscal calendar, version of people, the lock of those who write them."""
