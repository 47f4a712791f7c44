"""The demo organisation's delivery as its tools would tell it: one history, and servers that each show a view of it.

history.py     what happened: plain data that knows no provider
standing.py    how things stood at an instant

faults.py      what goes wrong between a client and a provider, as data
github_*.py    a simulated GitHub on loopback: REST, GraphQL, webhooks, rate limits

Nothing here knows Django, and nobody but the demo and the tests starts it.
"""
