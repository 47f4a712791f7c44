"""The demo organisation's delivery (demo/plan/delivery.py) as its tools would show it.

record_states.py    how things stood at an instant

faults.py      what goes wrong between a client and a provider, as data
github_*.py    a simulated GitHub on loopback: REST, GraphQL, webhooks, rate limits

Nothing here knows Django, and nobody but the demo and the tests starts it.
"""
