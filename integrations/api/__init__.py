"""The API of integrations."""
