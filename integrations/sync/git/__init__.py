"""Reading repositories on this machine, and mirrors."""
