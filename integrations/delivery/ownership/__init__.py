"""Ownership of repositories, services, projects and boards: things that can be owned, proposals, and assignments."""
