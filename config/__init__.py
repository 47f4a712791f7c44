"""Wiring: settings, URLs, the Celery application and the commands that run an installation.

The launcher imports parts of this package without Django, so nothing is imported here.
"""
