"""What programs ask and say about what comes in."""
