"""Budgets of AI spend, their alerts, and charge-back by cost centre."""
