"""Pull requests, work items, pipeline runs, deployments and incidents: what follows from them, once stored."""
