"""Pipeline runs: grouping of attempts into runs, and the pull requests that waited for them."""
