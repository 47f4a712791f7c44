"""Monthly reviews: agenda, notes, decisions, attendance and sign-off."""
