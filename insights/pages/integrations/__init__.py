"""The integrations page: data sources, their freshness, and missing inputs."""
