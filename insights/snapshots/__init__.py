"""Figures computed ahead, and a pulse by which an open page notices that they changed."""
