"""Django's backend for PostgreSQL, whose connections in the web process are watched: see config/database_watch.py."""
