"""Silences: signals of agents' versions, and whole senders, that stopped arriving.  docs/silence.md.

signals.py    the signals looked for in a session: one declaration each
versions.py   counts by agent, version and day → silences of versions, without a database
senders.py    days on which tokens, connections and agents sent something → senders that stopped
watch.py      notices silences, and ends them; run each hour
"""
