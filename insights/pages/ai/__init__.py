"""AI insights (`/insights/ai/`), with one module per section."""
