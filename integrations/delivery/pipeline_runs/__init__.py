"""Pipeline runs: grouping attempts into runs, and the pull requests that waited for them."""
