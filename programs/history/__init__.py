"""What the histories of tickets and of objectives share."""
