"""`manage.py up`: starts, supervises and stops web, worker, beat and the embedded database.

The supervisor does not import Django: it stays small, and can report invalid settings.
"""
