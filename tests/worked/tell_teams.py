"""Sentences about teams: who is in them, and what they own."""

from __future__ import annotations

from tests.org import Org
from tests.worked.sentences import Line, sentence
from tests.worked.story import Story

EVERYBODY = "teams"  # the slug of the tree's root


@sentence(r"(?P<who>\S+) (?:is in|joins) the team (?P<team>\S+)")
def is_in_team(line: Line, who: str, team: str) -> None:
    line.story.members.append((who, team, line.moment.date() if line.moment else None))


@sentence(r"the team (?P<team>\S+) owns (?P<thing>\S+)")
def owns(line: Line, team: str, thing: str) -> None:
    line.story.owned.append((thing, team))


def form_teams(story: Story, org: Org) -> None:
    """The units and their members; a member of two moves from one to the other."""
    teams = dict.fromkeys(team for _, team, _ in (*story.members, *((None, team, None) for _, team in story.owned)))
    if teams:
        org.tree("Teams")
    for team in teams:
        org.unit(team, below=EVERYBODY)
    for who, team, since in story.members:
        org.join(who, team.lower(), on=since)


def give_to_teams(story: Story, org: Org) -> None:
    """What teams own, once it is known."""
    for thing, team in story.owned:
        org.own(thing, team.lower())
