"""Sentences about people: in which teams they are, what these own, and by which names they are known."""

from __future__ import annotations

from datetime import time

from integrations.delivery.agreements.agree import agree
from integrations.delivery.agreements.apply import apply_agreements
from integrations.delivery.ownership.find import find_unit
from tests.org import Org
from tests.worked.sentences import Line, sentence
from tests.worked.story import Story

EVERYBODY = "teams"  # the slug of the tree's root


@sentence(r"(?P<who>\S+) (?:is in|joins) the team (?P<team>\S+)")
def is_in_team(line: Line, who: str, team: str) -> None:
    line.story.members.append((who, team, line.moment.date() if line.moment else None))


@sentence(r"the team (?P<team>\S+) owns (?P<thing>\S+)")
def owns(line: Line, team: str, thing: str) -> None:
    """Since ever, or from a day on."""
    line.story.owned.append((thing, team, line.moment.date() if line.moment else None))


@sentence(r"the team (?P<team>\S+) works without pull requests")
def works_without_pull_requests(line: Line, team: str) -> None:
    """Since ever, or from a day on."""
    line.story.trunk.append((team, line.moment.date() if line.moment else None))


@sentence(r"the team (?P<team>\S+) commits to sprints after (?P<days>\d+) working days?")
def commits_after(line: Line, team: str, days: str) -> None:
    """Since ever, or from a day on."""
    line.story.grace.append((team, int(days), line.moment.date() if line.moment else None))


@sentence(r"the team (?P<team>\S+) works from (?P<first>\d\d:\d\d) to (?P<last>\d\d:\d\d)")
def works_from(line: Line, team: str, first: str, last: str) -> None:
    line.story.hours.append((team, time.fromisoformat(first), time.fromisoformat(last)))


@sentence(r"(?P<who>[a-z]+) signs commits as (?P<email>\S+)")
def signs(line: Line, who: str, email: str) -> None:
    """So that who commits and who reviews is known to be one."""
    line.story.logins[email] = who


def form_teams(story: Story, org: Org) -> None:
    """The people file, the units and their members; a member of two moves from one to the other."""
    if story.logins:
        org.people(
            *(
                {"full_name": login.title(), "email": email, "identities": f"github:{login}"}
                for email, login in story.logins.items()
            )
        )
    teams = dict.fromkeys(team for _, team, _ in (*story.members, *((None, team, None) for _, team, _ in story.owned)))
    if teams:
        org.tree("Teams")
    for team in teams:
        org.unit(team, below=EVERYBODY)
    for who, team, since in story.members:
        org.join(who, team.lower(), on=since)


def give_to_teams(story: Story, org: Org) -> None:
    """Assign things to teams, once they are known, and set the teams' working agreements."""
    for thing, team, since in story.owned:
        org.own(thing, team.lower(), from_=since)
    for team, since in story.trunk:
        agree(find_unit(team.lower()), {"trunk": True}, start=since)
    for team, days, since in story.grace:
        agree(find_unit(team.lower()), {"sprint_grace_days": days}, start=since)
    for team, first, last in story.hours:
        agree(find_unit(team.lower()), {"work_starts_at": first, "work_ends_at": last})
    if story.trunk or story.grace:
        apply_agreements()
