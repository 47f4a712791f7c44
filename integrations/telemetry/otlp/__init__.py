"""OTLP over HTTP: receive, decode, store."""
