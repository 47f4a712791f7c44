"""The leaderboard: people ranked by agent usage and output (docs/leaderboard.md)."""
