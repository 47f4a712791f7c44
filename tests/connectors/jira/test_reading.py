"""Streams of Jira: pages, what changes between them, whatever fails on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, ClassVar, cast

import pytest

from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.jira_server import JiraServer
from integrations.connectors.base import FetchedResource, Http, Page
from integrations.connectors.drafts import MISSING, ProvidedParts, SprintDraft, WorkItemDraft
from integrations.connectors.errors import CredentialRefusedError, PermanentError
from integrations.connectors.http import ConnectionHttp
from integrations.connectors.jira import sprints
from integrations.connectors.jira.read_issues import fetch_issues
from integrations.connectors.jira.site import Site
from integrations.enums import Kind, ResourceKind
from integrations.sync.slices import SLICE_LIMITS
from tests.connectors.jira.conftest import BUSY
from tests.connectors.jira.reading import KIND_OF, connector, pages_of
from tests.connectors.reading import QUICK, by_id, drafts_of, only_resource, read_despite_faults
from tests.demo.small_history import BEGIN, DAY, HOUR

STREAMS = (Kind.WORK_ITEM, Kind.SPRINT)
FAULTS: Mapping[str, Callable[[], Fault]] = {
    "429": lambda: Fault(faults.too_many_requests(retry_after=0), path="/rest/", nth=5, times=2),
    "429 that names no time": lambda: Fault(faults.too_many_requests(), path="/rest/", nth=6),
    "401 in the middle": lambda: Fault(faults.unauthorised(), path="/rest/", nth=6, times=2),
    "403 in the middle": lambda: Fault(faults.forbidden(), path="/rest/", nth=7),
    "500": lambda: Fault(faults.server_error(), path="/rest/", nth=5, times=3),
    "502": lambda: Fault(faults.bad_gateway(), path="/rest/", nth=4, times=5),
    "cut connection": lambda: Fault(faults.cut_short(), path="/search|/sprint", times=2),
    "half an answer": lambda: Fault(faults.truncated(), path="/search|/sprint", nth=2, times=2),
    "a page for people": lambda: Fault(faults.html_page(), path="/rest/", nth=5, times=2),
    "no changelog": lambda: Fault(faults.bad_gateway(), path="/changelog", times=4),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_under_every_fault_the_same_is_read(jira: JiraServer, kind: Kind) -> None:
    usual = by_id(drafts_of(pages_of(jira, kind)))
    assert len(usual) > 2
    of = connector(jira)
    resource = only_resource(of, KIND_OF[kind])
    differing = []
    for name, fault in FAULTS.items():
        jira.faults = [fault()]
        if by_id(read_despite_faults(of, resource, kind, now=jira.at)) != usual:
            differing.append(name)
    assert differing == []


def test_a_reading_goes_on_from_any_page(jira: JiraServer) -> None:
    usual = by_id(drafts_of(pages_of(jira, Kind.WORK_ITEM)))
    pages = pages_of(jira, Kind.WORK_ITEM)
    assert len(pages) > 3
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
    for position, page in enumerate(pages[:-1]):
        rest = pages_of(jira, Kind.WORK_ITEM, page.cursor)
        assert by_id(drafts_of([*pages[: position + 1], *rest])) == usual


def test_what_changes_between_two_pages_is_missed_by_no_reading(jira: JiraServer) -> None:
    jira.advance(BEGIN + 20 * HOUR)
    (first,) = pages_of(jira, Kind.WORK_ITEM, most=1)
    before = jira.at
    jira.advance(BEGIN + 30 * HOUR)
    rest = pages_of(jira, Kind.WORK_ITEM, first.cursor, now=before)
    news = pages_of(jira, Kind.WORK_ITEM, rest[-1].cursor)
    read = by_id(drafts_of([first, *rest, *news]))
    assert read == by_id(drafts_of(pages_of(jira, Kind.WORK_ITEM)))


def test_only_what_changed_since_is_read_again(jira: JiraServer) -> None:
    jira.advance(BEGIN + 20 * DAY)
    *_, last = pages_of(jira, Kind.WORK_ITEM)
    jira.requests.clear()
    (page,) = pages_of(jira, Kind.WORK_ITEM, last.cursor)
    assert page.records == []
    assert not page.complete
    # Three of them list the resources; two are the stream's.
    assert [one.path.partition("?")[0] for one in jira.requests[-2:]] == ["/rest/api/3/field", "/rest/api/3/search/jql"]


def test_the_time_zone_of_the_account_and_a_clock_that_is_wrong_miss_no_change(jira: JiraServer) -> None:
    jira.advance(BEGIN + 20 * HOUR)
    *_, last = pages_of(jira, Kind.WORK_ITEM, now=jira.at + 3 * HOUR)
    jira.advance(BEGIN + 21.5 * HOUR)
    jira.requests.clear()
    *_, news = pages_of(jira, Kind.WORK_ITEM, last.cursor, now=jira.at + 3 * HOUR)
    changed = {issue["id"] for issue in jira.issues.of_project(101) if _updated(issue) > BEGIN + 20 * HOUR}
    assert changed
    assert changed <= by_id(drafts_of([news])).keys()
    (search,) = (one.path for one in jira.requests if "updated" in one.path)
    assert re.search(r"updated >= [0-9]{13} ORDER", search)


def _updated(issue: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(issue["fields"]["updated"])


class BulkEdit:
    """Ten thousand issues that changed in one minute; Jira refuses a page's token with another search."""

    count = 10_000

    def __init__(self) -> None:
        self.searches = 0

    def get(self, path: str, *, params: Mapping[str, Any] | None = None, headers: Any = None) -> Answer:
        if not path.endswith("/search/jql"):
            return Answer([])
        self.searches += 1
        jql = str((params or {})["jql"])
        of, _, start = str((params or {}).get("nextPageToken", f"{jql}|0")).rpartition("|")
        if of != jql:
            raise PermanentError("The page token is of another search.")
        until = int(start) + 100
        issues = [{"id": str(number), "key": f"SHOP-{number}", "fields": {}} for number in range(int(start), until)]
        return Answer({"issues": issues, "isLast": until == self.count, "nextPageToken": f"{jql}|{until}"})


@dataclass(frozen=True)
class Answer:
    document: Any
    status = 200
    headers: ClassVar[Mapping[str, str]] = {}

    def json(self) -> Any:
        return self.document


def test_a_bulk_edit_of_ten_thousand_issues_is_read_on_from_slice_to_slice() -> None:
    edited = BulkEdit()
    project = FetchedResource(ResourceKind.PROJECT, "101", "SHOP", {})
    cursor: Mapping[str, Any] = {"since": BEGIN.isoformat()}
    now, read = BEGIN + HOUR, list[str]()
    while "began" in cursor or not read:
        stream = fetch_issues(cast(Http, edited), project, cursor, site=Site(is_cloud=True), named={}, now=now)
        for page in islice(stream, SLICE_LIMITS.pages):
            read += [record.external_id for record in page.records]
            cursor = page.cursor
        now += timedelta(minutes=1)
    assert read == [str(number) for number in range(BulkEdit.count)]
    assert edited.searches == BulkEdit.count / 100


def test_a_place_that_jira_has_forgotten_is_no_dead_end(jira: JiraServer) -> None:
    usual = by_id(drafts_of(pages_of(jira, Kind.WORK_ITEM)))
    first, *_ = pages_of(jira, Kind.WORK_ITEM)
    expired = faults.instead(faults.Answer.of({"errorMessages": ["The page token has expired."]}, status=400))
    jira.faults = [Fault(expired, path="nextPageToken=.+")]
    assert by_id(drafts_of(pages_of(jira, Kind.WORK_ITEM, first.cursor))) == usual


def test_a_changelog_is_read_whole_where_the_search_gives_a_part(jira: JiraServer) -> None:
    busy = cast(WorkItemDraft, by_id(drafts_of(pages_of(jira, Kind.WORK_ITEM)))[str(BUSY)])
    assert isinstance(busy.transitions, ProvidedParts)
    assert len(busy.transitions.parts) == 100
    assert [one.at for one in busy.transitions.parts] == sorted(one.at for one in busy.transitions.parts)


def test_a_project_that_one_may_not_browse_is_named(jira: JiraServer) -> None:
    of = connector(jira)
    with ConnectionHttp(of, patience=QUICK) as http:
        project = only_resource(of, ResourceKind.PROJECT)
        jira.hidden = {int(project.external_id)}
        with pytest.raises(PermanentError, match="SHOP · shop") as refused:
            list(of.fetch(http, project, Kind.WORK_ITEM, {}, now=jira.at))
    assert "Browse projects" in refused.value.what_to_do


def test_a_refused_token_has_an_error_of_its_own(jira: JiraServer) -> None:
    jira.faults = [Fault(faults.unauthorised(), path="/search", times=None)]
    with pytest.raises(CredentialRefusedError):
        pages_of(jira, Kind.WORK_ITEM)


def test_a_sprint_that_ended_since_is_read_once_more(jira: JiraServer) -> None:
    (page,) = pages_of(jira, Kind.SPRINT)
    assert len(page.cursor["open"]) == 2  # the running one and the next
    jira.advance(jira.at + timedelta(days=14))
    (news,) = pages_of(jira, Kind.SPRINT, page.cursor)
    states = {draft.external_id: getattr(draft, "state", None) for draft in drafts_of([news])}
    assert sorted(map(str, states.values())) == ["active", "closed", "planned"]
    assert not news.complete


def with_reports(pages: Sequence[Page]) -> set[str]:
    """The sprints whose report the pages hold."""
    drafts = [draft for draft in drafts_of(pages) if isinstance(draft, SprintDraft)]
    return {draft.external_id for draft in drafts if draft.reported is not MISSING}


def closed_sprints(pages: Sequence[Page]) -> set[str]:
    drafts = [draft for draft in drafts_of(pages) if isinstance(draft, SprintDraft)]
    return {draft.external_id for draft in drafts if draft.state == "closed"}


def report_requests(jira: JiraServer) -> int:
    return sum("sprintreport" in request.path for request in jira.requests)


def test_the_report_of_a_sprint_is_read_once_after_its_close(jira: JiraServer) -> None:
    first = pages_of(jira, Kind.SPRINT)
    assert with_reports(first) == closed_sprints(first) != set()
    assert first[-1].complete
    assert "unreported" not in first[-1].cursor
    jira.requests.clear()
    pages_of(jira, Kind.SPRINT, first[-1].cursor)
    assert report_requests(jira) == 0
    jira.advance(jira.at + timedelta(days=14))
    news = pages_of(jira, Kind.SPRINT, first[-1].cursor)
    assert with_reports(news) == closed_sprints(news) != set()


def test_a_reading_of_reports_goes_on_where_it_ended(jira: JiraServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sprints, "REPORTS_AT_ONCE", 2)
    (page,) = pages_of(jira, Kind.SPRINT, most=1)
    waiting = page.cursor["unreported"]
    assert waiting
    assert not page.complete
    assert with_reports(pages_of(jira, Kind.SPRINT, page.cursor)) == set(waiting)


@pytest.mark.parametrize("answer", [faults.forbidden(), faults.instead(faults.Answer.of({}, status=404))])
def test_a_site_without_reports_of_sprints_is_read_without(jira: JiraServer, answer: faults.Effect) -> None:
    jira.faults = [Fault(answer, path="/sprintreport", times=None)]
    (page,) = pages_of(jira, Kind.SPRINT)
    assert page.complete
    assert with_reports([page]) == set()
    jira.requests.clear()
    pages_of(jira, Kind.SPRINT, page.cursor)
    assert report_requests(jira) == 1
    jira.faults = []
    assert with_reports(pages_of(jira, Kind.SPRINT, page.cursor)) == set(page.cursor["unreported"])


def test_a_sprint_that_was_deleted_holds_no_other_up(jira: JiraServer) -> None:
    (page,) = pages_of(jira, Kind.SPRINT)
    jira.deleted_sprints = {int(page.cursor["open"][0])}
    (news,) = pages_of(jira, Kind.SPRINT, page.cursor)
    assert (news.cursor["open"], len(news.records)) == (page.cursor["open"][1:], 1)
    everything = by_id(drafts_of(pages_of(jira, Kind.SPRINT)))
    assert everything.keys() == by_id(drafts_of([page])).keys() - {page.cursor["open"][0]}


def test_a_board_over_a_filter_that_the_account_may_not_see_is_named(jira: JiraServer) -> None:
    for answer in (faults.forbidden(), faults.instead(faults.Answer.of({"errorMessages": ["No board."]}, status=404))):
        jira.faults = [Fault(answer, path="/board/.*/sprint", times=None)]
        with pytest.raises(PermanentError, match="see the board SHOP · shop board: ") as refused:
            pages_of(jira, Kind.SPRINT)
        assert refused.value.what_to_do.startswith("Share the filter of SHOP · shop board with the account")


def test_a_board_without_sprints_is_no_error(jira: JiraServer) -> None:
    kanban = faults.Answer.of({"errorMessages": ["The board does not support sprints"]}, status=400)
    jira.faults = [Fault(faults.instead(kanban), path="/sprint", times=None)]
    (page,) = pages_of(jira, Kind.SPRINT)
    assert (page.records, page.cursor) == ((), {"open": []})


def test_the_check_says_which_field_holds_story_points(jira: JiraServer) -> None:
    with ConnectionHttp(connector(jira), patience=QUICK) as http:
        checks = connector(jira).check(http)
    assert all(check.works for check in checks)
    assert (
        checks[-1].what == "Story points from Story Points: 2, 3, 8 in 33 issues; Story point estimate: 13 in 1 issue"
    )
    named = connector(jira, estimates="Size")
    with ConnectionHttp(named, patience=QUICK) as http:
        assert "No field is called Size" in named.check(http)[-1].remedy


def test_every_field_that_is_read_has_examples(jira: JiraServer) -> None:
    of = connector(jira, estimates="Story point estimate")
    with ConnectionHttp(of, patience=QUICK) as http:
        fields = {field.setting: field for field in of.mapped_fields(http)}
    assert [(field.name, field.examples, field.records) for field in fields["teams"].candidates] == [
        ("Team", ("Shop",), 33)
    ]
    points = fields["estimates"]
    assert ([field.name for field in points.candidates], points.is_decided) == (
        ["Story point estimate", "Story Points"],
        True,
    )
    assert (points.chosen, fields["sprints"].is_decided) == (("customfield_10031",), False)
    assert fields["epics"].candidates[0].use == "Epic Link: no values in 0 issues"
