"""AI insights (`/insights/ai/`): each section's tiles and cards stand in a module of its name."""
