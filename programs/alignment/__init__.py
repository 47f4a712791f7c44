"""Which objective serves which."""
