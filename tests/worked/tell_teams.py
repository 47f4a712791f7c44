"""Sentences about people: in which teams they are, what these own, and by which names they are known."""

from __future__ import annotations

from datetime import time
from typing import Any

from integrations.delivery.agreements.agree import agree
from integrations.delivery.agreements.apply import apply_agreements
from integrations.delivery.ownership.find import find_unit
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import Owned, OwnedKind
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
    agrees(line, team, trunk=True)


@sentence(r"the team (?P<team>\S+) commits to sprints after (?P<days>\d+) working days?")
def commits_after(line: Line, team: str, days: str) -> None:
    agrees(line, team, sprint_grace_days=int(days))


@sentence(r"on the board (?P<board>\S+) sub-tasks count alone")
def parts_count_alone(line: Line, board: str) -> None:
    line.story.boards_with_parts.append(board)


@sentence(r"the team (?P<team>\S+) works from (?P<first>\d\d:\d\d) to (?P<last>\d\d:\d\d)(?: in (?P<zone>\S+))?")
def works_from(line: Line, team: str, first: str, last: str, zone: str | None) -> None:
    hours = {"work_starts_at": time.fromisoformat(first), "work_ends_at": time.fromisoformat(last)}
    agrees(line, team, **hours, time_zone=zone)


@sentence(r"the team (?P<team>\S+) agrees on at most (?P<lines>\d+) lines")
def agrees_on_lines(line: Line, team: str, lines: str) -> None:
    agrees(line, team, most_lines=int(lines))


@sentence(r"the team (?P<team>\S+) agrees on a first review within (?P<hours>\d+) hours")
def agrees_on_reviews(line: Line, team: str, hours: str) -> None:
    agrees(line, team, review_hours=int(hours))


@sentence(r"the team (?P<team>\S+) agrees that a pull request names its item")
def agrees_on_items(line: Line, team: str) -> None:
    agrees(line, team, needs_work_item=True)


@sentence(r"the team (?P<team>\S+) agrees that an incident fails what was deployed up to (?P<hours>\d+) hours? before")
def agrees_on_failures(line: Line, team: str, hours: str) -> None:
    agrees(line, team, link_window_hours=int(hours))


@sentence(r"the team (?P<team>\S+) agrees that deployments within (?P<minutes>\d+) minutes are one rollout")
def agrees_on_rollouts(line: Line, team: str, minutes: str) -> None:
    agrees(line, team, rollout_gap_minutes=int(minutes))


def agrees(line: Line, team: str, **terms: Any) -> None:
    """Since ever, or from a day on."""
    line.story.terms.append((team, terms, line.moment.date() if line.moment else None))


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
    for team, terms, since in story.terms:
        agree(find_unit(team.lower()), terms, start=since)
    Owned.objects.filter(kind=OwnedKind.BOARD, name__in=story.boards_with_parts).update(parts_alone=True)
    if story.terms or story.boards_with_parts:
        apply_agreements()
        recompute_waiting_pull_requests()
