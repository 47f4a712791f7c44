"""Sentences about work items."""

from __future__ import annotations

from tests.worked.facts import WorkItem
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
        estimate=3.0 if line.says("with an estimate") else None,
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
