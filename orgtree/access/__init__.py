"""Access control: grants, policy, invitations, tokens, sessions.  docs/access.md."""
