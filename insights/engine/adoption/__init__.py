"""Developers before and after they took up an agent, and by how much they use agents."""
