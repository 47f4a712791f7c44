"""Work on findings: the tickets and objectives that one started."""
