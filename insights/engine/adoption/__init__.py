"""Developers before and after adopting an agent, and by intensity of use."""
