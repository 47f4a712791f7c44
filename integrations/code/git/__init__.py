"""What a clone says beside its commits: branches, context files, squashes, the history of lines."""
