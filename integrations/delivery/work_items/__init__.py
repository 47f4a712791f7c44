"""Work items: type, status and cycle, and the days on which they count."""
