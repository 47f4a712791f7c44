"""What a repository, pull request or work item cost in AI, and what of it was abandoned."""
