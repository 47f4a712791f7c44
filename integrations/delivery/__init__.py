"""Pull requests, work items, pipeline runs, deployments and incidents: everything derived from them."""
