"""AI cost of a repository, pull request or work item, and how much of it was abandoned."""
