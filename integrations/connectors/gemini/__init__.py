"""Gemini Code Assist: use in a Google Cloud project, without names of people."""
