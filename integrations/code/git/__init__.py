"""Data of a clone beside its commits: branches, context files, squashes, line history."""
