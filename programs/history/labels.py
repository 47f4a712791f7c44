"""How the histories of tickets and of objectives put in words what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from insights.pages.annotations.words import moment
from insights.ui import wording
from insights.ui.scope_bar import EVERYBODY
from programs.history.events import Untold, Value

NOTHING = "–"
UNTOLD: Mapping[Untold, str] = {
    Untold.GONE: "one that is gone",
    Untold.UNSEEN: "one that you may not see",
    Untold.HIDDEN: "hidden",
}


@dataclass(frozen=True)
class Difference:
    """One field of one change."""

    field: str
    before: str
    after: str


def value_words(field: str, value: Value, choices: Mapping[str, str]) -> str:
    """`choices` are the labels of a field that has some."""
    match value:
        case Untold():
            words = UNTOLD[value]
        case None | "":
            words = EVERYBODY if field == "unit_id" else NOTHING
        case bool():
            words = "Yes" if value else "No"
        case datetime():
            words = moment(value)
        case date():
            words = wording.day(value)
        case float():
            words = f"{value:.2f}"
        case _:
            words = choices.get(str(value), str(value))
    return words
