"""Sentences about work items and sprints."""

from __future__ import annotations

from tests.worked.facts import Sprint, WorkItem
from tests.worked.sentences import Line, sentence
from tests.worked.story import person

_KINDS = {"feature": "Story", "bug": "Bug", "task": "Task"}  # as trackers call them


@sentence(r"(?P<key>[A-Z]+-\d+) is written down")
def is_written_down(line: Line, key: str) -> None:
    """A feature, where nothing else is said, to do and nobody's."""
    reporter = line.text("reported by (.+)")
    line.story.work_items[key] = WorkItem(
        key,
        line.at,
        _KINDS[line.text("a (feature|bug|task)", "feature")],
        reporter=person(reporter) if reporter else None,
        labels=tuple(label for (label,) in line.texts("labelled “(.+)”")),
        estimate=3.0 if line.says("with an estimate") else _points(line.text("estimated at (.+)", "nothing")),
        parent=line.text("a part of (.+)"),
        has_description=True
        if line.says("with a description")
        else False
        if line.says("without a description")
        else None,
    )


@sentence(r"(?P<key>[A-Z]+-\d+) goes to “(?P<status>.+)”")
def goes_to(line: Line, key: str, status: str) -> None:
    line.story.work_items[key].moves.append((line.at, status))


@sentence(r"(?P<key>[A-Z]+-\d+) is given to (?P<who>\S+)")
def is_given_to(line: Line, key: str, who: str) -> None:
    line.story.work_items[key].assigned.append((line.at, None if who == "nobody" else person(who)))


@sentence(r"(?P<key>[A-Z]+-\d+) is edited")
def is_edited(line: Line, key: str) -> None:
    line.story.work_items[key].edited.append(line.at)


@sentence(r"(?P<key>[A-Z]+-\d+) is resolved")
def is_resolved(line: Line, key: str) -> None:
    """All that its tracker says of its end."""
    assert line.says("of which no move is told")
    line.story.work_items[key].resolved_at = line.at


@sentence(r"(?P<key>[A-Z]+-\d+) is estimated at (?P<points>\S+)")
def is_estimated(line: Line, key: str, points: str) -> None:
    line.story.work_items[key].estimates.append((line.at, _points(points)))


@sentence(r"sprint (?P<name>\S+) of (?P<board>\S+) starts")
def sprint_starts(line: Line, name: str, board: str) -> None:
    line.story.sprints[name] = Sprint(name, board, line.at)


@sentence(r"sprint (?P<name>\S+) is closed")
def sprint_is_closed(line: Line, name: str) -> None:
    line.story.sprints[name].completed_at = line.at


@sentence(r"(?P<keys>[A-Z]+-\d+(?: and [A-Z]+-\d+)*) (?P<what>enters?|leaves?) sprint (?P<name>\S+)")
def changes_sprint(line: Line, keys: str, what: str, name: str) -> None:
    for key in keys.split(" and "):
        line.story.work_items[key].sprints.append((line.at, name, what.startswith("enter")))


def _points(text: str) -> float | None:
    return None if text == "nothing" else float(text)
