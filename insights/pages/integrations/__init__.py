"""The page of integrations: what comes in from where, how fresh it is, and what is still missing."""
