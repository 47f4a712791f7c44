"""What `manage.py up` does: web, worker, beat and the embedded database, started, watched and stopped together.

The supervisor imports no Django: it stays small, and works where settings are wrong, to say so.
"""
