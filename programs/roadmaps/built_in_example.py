"""The method's example of a team roadmap: what to improve in four quarters in a row.

Teams take the rows in turn.  A title without a template is written as an objective from scratch.
"""

from __future__ import annotations

from typing import NamedTuple


class ExampleIntent(NamedTuple):
    title: str
    template: str = ""


ORGANISATION = (ExampleIntent("Improve quality", "quality"),) * 4
TEAMS = (
    (
        ExampleIntent("Scale velocity", "velocity"),
        ExampleIntent("Better lead time", "lead-time"),
        ExampleIntent("Improve deployment frequency"),
        ExampleIntent("Improve developer productivity"),
    ),
    (
        ExampleIntent("Improve planning", "planning"),
        ExampleIntent("Healthy sprint results"),
        ExampleIntent("Improve lead time", "lead-time"),
        ExampleIntent("Better business alignment", "allocation"),
    ),
)
