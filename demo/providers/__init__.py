"""The demo organisation's delivery (demo/plan/delivery.py) as its tools would show it.

record_states.py    how things stood at an instant

faults.py      what goes wrong between a client and a provider, as data
github_*.py    a simulated GitHub on loopback: REST, GraphQL, webhooks, rate limits
gitea_server.py and those of the other providers: views of the same history in each one's shape
serve.py       those of the demo organisation, as a process

Nothing here knows Django, and nobody but the demo and the tests starts it.
"""
