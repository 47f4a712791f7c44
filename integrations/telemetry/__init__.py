"""Telemetry of coding agents: receiving, folding into sessions, pricing."""
