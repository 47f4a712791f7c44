"""From what a file, a program or a form says of people to rows: read, loaded, matched, compared and stored, set by set.

Who wants people stored calls orgtree/people_import/store.py.
"""
