"""What coding agents send: received, folded into sessions, priced."""
