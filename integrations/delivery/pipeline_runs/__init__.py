"""Pipeline runs: attempts as one run, and the pull requests that waited for them."""
