"""Work on findings: a ticket or an objective that a finding starts, and what both pages say of it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from core.write_errors import FieldError, MayNotWriteError
from insights.findings.deciding import decide
from insights.models import Finding
from insights.models.findings import FindingState
from insights.query import windows
from integrations.enums import MirrorState
from orgtree.access.access import aggregates_access
from orgtree.models import Unit
from programs.closing.services.closing import close_quarter
from programs.finding_work.work import start_work, work_on
from programs.models import FindingWork, Ticket, TicketState
from programs.objectives.services.writing import drop_objective
from programs.tickets.services.writing import apply_remote, move_ticket
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, signed_in
from tests.programs.objectives import objective
from tests.programs.tickets import as_, draft, ticket
from tests.teams import create_teams

pytestmark = pytest.mark.django_db


@pytest.fixture
def finding() -> Finding:
    """Reviews in Platform begin later since ten weeks ago."""
    create_teams()
    today = windows.local_today()
    return Finding.objects.create(
        **{"detector": "pr.pickup_time.change", "metric": "pr.pickup_time", "unit": Unit.objects.get(slug="platform")},
        **{"since": today - timedelta(weeks=10), "until": today, "found_on": today},
        minimum_people=aggregates_access().fewest_shown,
        **{"before": 36000, "after": 72000, "low": 18000, "high": 50400, "chance": 1e-5, "sample": 160},
    )


def state_of(finding: Finding) -> str:
    finding.refresh_from_db()
    return finding.state


def opened(client: Client, finding: Finding) -> str:
    return client.get("/insights/findings/", {"finding": finding.pk}).content.decode()


def test_a_ticket_from_a_finding_puts_it_in_work_and_both_name_the_other(finding: Finding) -> None:
    client = signed_in(MANAGER)
    link = re.search(r'href="(/programs/tickets/new/[^"]+)"', opened(client, finding))
    assert link
    address = unescape(link[1])
    sent = {**draft(metric="pr.pickup_time"), "starts_on": windows.local_today(), "nature": "challenge", "effort": ""}
    assert client.get(address).context["form"].initial["unit"] == "platform"
    saved = client.post(address, sent)
    assert saved.status_code == 302, saved.content.decode()[:2000]
    filed = Ticket.objects.get()
    assert state_of(finding) == FindingState.IN_WORK
    page = opened(client, finding)
    assert "In work" in page
    assert f'<a href="/programs/tickets/{filed.pk}/">{filed.title}</a>' in page
    assert f"/insights/findings/?finding={finding.pk}" in client.get(f"/programs/tickets/{filed.pk}/").content.decode()
    assert list(work_on(finding, as_(MEMBER))) == [filed]
    assert list(work_on(finding, as_(OTHER_MEMBER))) == []


def test_an_objective_works_on_it_too_and_both_stay_listed(finding: Finding) -> None:
    aim, filed = objective(), ticket()
    start_work(as_(MANAGER), finding, filed)
    start_work(as_(MANAGER), finding, aim)
    start_work(as_(MANAGER), finding, aim)
    assert list(work_on(finding, as_(MANAGER))) == [aim, filed]
    assert FindingWork.objects.count() == 2
    assert f"?finding={finding.pk}" in signed_in(MANAGER).get(f"/programs/objectives/{aim.pk}/").content.decode()


def test_verdicts_leave_it_in_work_and_acknowledging_ends_that(finding: Finding) -> None:
    start_work(as_(MANAGER), finding, ticket())
    decide(as_(MANAGER), finding, act="useful")
    assert state_of(finding) == FindingState.IN_WORK
    assert finding in Finding.objects.open()
    decide(as_(MANAGER), finding, act="acknowledge")
    assert state_of(finding) == FindingState.ACKNOWLEDGED
    decide(as_(MANAGER), finding, act="dismiss", reason="A holiday.")
    with pytest.raises(FieldError, match="It is dismissed already"):
        start_work(as_(MANAGER), finding, ticket())
    assert FindingWork.objects.count() == 1


def test_dropped_work_takes_it_out_of_work(finding: Finding) -> None:
    """Not before all that worked on it is dropped; a ticket that is opened again takes it back."""
    aim, filed, manager = objective(), ticket(), as_(MANAGER)
    start_work(manager, finding, filed)
    start_work(manager, finding, aim)
    move_ticket(manager, filed, TicketState.DROPPED, dropped_why="Another team does it.")
    assert state_of(finding) == FindingState.IN_WORK
    drop_objective(manager, aim, "There is no time for it.")
    assert state_of(finding) == FindingState.ACKNOWLEDGED
    page = opened(signed_in(MANAGER), finding)
    for words in ("Another team does it.", "There is no time for it.", "All work on it was dropped"):
        assert words in page
    move_ticket(manager, filed, TicketState.OPEN)
    assert state_of(finding) == FindingState.IN_WORK
    assert "All work on it was dropped" not in opened(signed_in(MANAGER), finding)
    move_ticket(manager, filed, TicketState.DONE)
    assert state_of(finding) == FindingState.IN_WORK, "the next nights see whether it helped"


def test_dropped_at_the_issue_tracker_counts_too(finding: Finding) -> None:
    filed = ticket()
    start_work(as_(MANAGER), finding, filed)
    apply_remote(filed, MirrorState.DROPPED, None, where="GitHub")
    assert state_of(finding) == FindingState.ACKNOWLEDGED
    apply_remote(filed, MirrorState.OPEN, None, where="GitHub")
    assert state_of(finding) == FindingState.IN_WORK


def test_dropped_work_starts_nothing_and_opens_no_closed_finding(finding: Finding) -> None:
    filed, manager = ticket(), as_(MANAGER)
    start_work(manager, finding, filed)
    move_ticket(manager, filed, TicketState.DROPPED, dropped_why="Not now.")
    with pytest.raises(FieldError, match="It was dropped"):
        start_work(manager, finding, filed)
    decide(manager, finding, act="dismiss", reason="A holiday.")
    move_ticket(manager, filed, TicketState.OPEN)
    assert state_of(finding) == FindingState.DISMISSED


def test_work_that_goes_to_another_finding_leaves_the_first(finding: Finding) -> None:
    filed, manager = ticket(), as_(MANAGER)
    other = Finding.objects.get(pk=finding.pk)
    other.pk, other.detector = None, "pr.review_time.change"
    other.save()
    start_work(manager, finding, filed)
    start_work(manager, other, filed)
    assert (state_of(finding), state_of(other)) == (FindingState.ACKNOWLEDGED, FindingState.IN_WORK)


def test_a_draft_that_ends_with_its_quarter_is_dropped_work(finding: Finding) -> None:
    aim = objective(publish=False)
    start_work(as_(MANAGER), finding, aim)
    close_quarter(as_(EXECUTIVE), aim.quarter, forced_because="A test.")
    assert state_of(finding) == FindingState.ACKNOWLEDGED


def test_who_does_not_lead_the_unit_starts_no_work(finding: Finding) -> None:
    with pytest.raises(MayNotWriteError):
        start_work(as_(MEMBER), finding, ticket())
    Finding.objects.filter(pk=finding.pk).update(unit=Unit.objects.get(slug="search"))
    sent = {**draft(), "starts_on": windows.local_today(), "nature": "challenge", "effort": ""}
    for number in (finding.pk, 4711, "x", 10**30):
        saved = signed_in(MANAGER).post(f"/programs/tickets/new/?finding={number}", sent)
        assert saved.status_code == 302, "the ticket is stored, whatever the address says"
    assert (state_of(finding), FindingWork.objects.count()) == (FindingState.NEW, 0)


def test_the_api_lists_and_starts_work(finding: Finding) -> None:
    filed, path = ticket(), f"/api/v1/findings/{finding.pk}/work/"

    def post(client: Client, sent: Any) -> tuple[int, Any]:
        answer = client.post(path, json.dumps(sent), content_type="application/json")
        return answer.status_code, answer.json()

    manager = signed_in(MANAGER)
    refused: list[Any] = [{}, {"ticket": filed.pk, "objective": 1}, {"ticket": "x"}, {"ticket": None}, {"goal": 1}, []]
    for wrong in refused:
        assert post(manager, wrong)[0] == 400, wrong
    assert post(manager, {"ticket": 10**18})[0] == 404
    assert post(signed_in(MEMBER), {"ticket": filed.pk})[0] == 403
    assert manager.get(path).json() == {"state": "new", "work": []}
    work = [{"kind": "ticket", "id": filed.pk, "title": filed.title}]
    assert post(manager, {"ticket": filed.pk}) == (200, {"state": "in_work", "work": work})
    assert signed_in(EXECUTIVE).get(f"/api/v1/findings/{finding.pk}/").json()["state"] == "in_work"
    assert signed_in(OTHER_MEMBER).get(path).status_code == 404
