"""Labels of changes in histories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Model

from core.columns import Column, Columns
from core.edit_conflicts import NOTHING, Difference
from insights.ui import wording
from insights.ui.scope_bar import EVERYBODY
from insights.ui.wording import moment
from orgtree.access.who_sees import AccountNames
from programs.history.events import Change, Changed, Step, Undisclosed, Value

UNDISCLOSED: Mapping[Undisclosed, str] = {
    Undisclosed.GONE: "deleted",
    Undisclosed.UNSEEN: "not visible to you",
    Undisclosed.HIDDEN: "hidden",
}


@dataclass(frozen=True)
class HistoryLine:
    """A line of the history: changes by one account at one time."""

    who: str
    at: str
    what: Sequence[str]  # "Created", "Key result “…” removed"
    differences: Sequence[Difference] = ()


def history_lines(
    changes: Iterable[Change],
    names: AccountNames,
    what: Callable[[Step], Iterable[str]],
    difference: Callable[[Changed], Difference],
) -> list[HistoryLine]:
    """The changes as lines, in order; `names` are the accounts' names."""
    return [
        HistoryLine(
            "Headway" if change.by is None else names[change.by],
            moment(change.at),
            [words for step in change.steps for words in what(step)],
            [difference(changed) for changed in change.changes],
        )
        for change in changes
    ]


def value_words(field: str, value: Value, choices: Mapping[str, str]) -> str:
    """The value in words; `choices` are the labels of the field's choices, if it has any."""
    match value:
        case Undisclosed():
            words = UNDISCLOSED[value]
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


def cells_of(record: Model, columns: Columns) -> list[tuple[Column, str]]:
    """The columns, each with the record's text for it."""
    says = [(column, getattr(record, column.name, None)) for column in columns]
    return [(column, value_words(column.name, value, column.choices or {})) for column, value in says]
