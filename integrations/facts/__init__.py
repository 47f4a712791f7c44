"""The relations that figures are computed from: one SELECT each, with documented columns."""
