"""The policy on which parts of an answer a viewer may see.  docs/access.md."""
