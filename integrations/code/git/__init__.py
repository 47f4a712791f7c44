"""Data of a clone besides its commits: branches, context files, squashes, line history."""
