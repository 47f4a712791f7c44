"""Ownership of repositories, services, projects and boards: what can be owned, proposals, and assignments."""
