"""What writers of facts share: changes for the floors above, rows of work between rooms, and locks."""
