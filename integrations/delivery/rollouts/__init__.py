"""Rollouts: the outcome of a deployment's statuses, and the grouping of deployments into rollouts."""
