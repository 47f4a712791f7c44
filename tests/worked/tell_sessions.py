"""Sentences about sessions of coding agents."""

from __future__ import annotations

from datetime import UTC

from tests.org import Org
from tests.worked.sentences import Line, sentence
from tests.worked.story import Story


@sentence(r"(?P<who>[a-z]+(?: and [a-z]+)*) works? with Claude Code")
def works_with_an_agent(line: Line, who: str) -> None:
    line.story.sessions += [(each, line.at) for each in who.split(" and ")]


def hold_sessions(story: Story, org: Org) -> None:
    """The agents tell of them themselves."""
    for who, at in story.sessions:
        moment = at.astimezone(UTC)
        org.session(by=who, on=moment.date(), at=f"{moment:%H:%M}")
    if story.sessions:
        org.fold()
