"""Attribution (`/insights/ai/attribution/`): whether a commit counts, and which of its lines are an agent's."""
