"""The record of figures: what the headline metrics said when a period had closed, and what they say of it today."""
