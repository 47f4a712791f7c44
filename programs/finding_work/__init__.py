"""Work on findings: the tickets and objectives started from one."""
