"""Rollouts: what the statuses of a deployment come to, and which deployments are one rollout."""
