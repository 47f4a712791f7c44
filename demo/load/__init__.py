"""How the made-up organisation gets in: by import, through the receiver, by connections."""
