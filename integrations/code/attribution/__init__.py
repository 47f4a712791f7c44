"""Attribution of a commit's lines to agent sessions, by the strongest evidence.  docs/attribution.md."""
