"""Imports people from files, the API and forms: read, load, match, compare and store, set-based.

The entry point is orgtree/people_import/store.py.
"""
