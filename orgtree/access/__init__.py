"""What somebody may see and do: grants, policy, invitations, tokens, sessions.  docs/access.md."""
