"""Whose a name may be: addresses, names and likeness as plain functions, without the database.  docs/identities.md"""
