"""Stores drafts as facts: resolves people and places, keeps the newest value of every field, and handles deletion."""
