"""What people's time goes to: weeks are shared over the work in them, and work is assigned to categories by rules."""
