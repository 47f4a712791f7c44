"""OpenAI: use and cost of an organisation of the Platform, and of Codex in a ChatGPT workspace."""
