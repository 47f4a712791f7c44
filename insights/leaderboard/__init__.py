"""The leaderboard: what each person's agents came to, ranked (docs/leaderboard.md)."""
