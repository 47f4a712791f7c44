"""Mirrors of action tickets in issue trackers."""
