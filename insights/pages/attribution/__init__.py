"""What explains a commit (`/insights/ai/attribution/`): whether it counts, and what of it came from an agent."""
