"""Pages of one pull request, work item, deployment or incident."""
