"""Pages under /integrations/ that need no figures."""
