"""Harness' stream: pages, what goes on meanwhile, whatever fails on the way; its form and its notifications."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from demo.plan.delivery import DeliveryHistory, DeploymentState, DeploymentStatus
from demo.providers import faults
from demo.providers.faults import Answer, Fault
from demo.providers.harness_server import HarnessServer
from integrations.connectors.base import Arrival, Page, Settings
from integrations.connectors.drafts import DeploymentDraft, PipelineRunDraft
from integrations.connectors.errors import CredentialRefusedError, PermanentError
from integrations.connectors.harness import reading
from integrations.connectors.harness.connector import Harness
from integrations.connectors.http import ConnectionHttp
from integrations.enums import Kind, ResourceKind, RunStatus
from tests.connectors.github.histories import with_deployments, with_runs
from tests.connectors.reading import (
    QUICK,
    TOKEN,
    assert_goes_on_from_any_page,
    by_id,
    drafts_of,
    faults_that_change,
    only_resource,
    read_despite_faults,
    read_pages,
)
from tests.demo.small_history import BEGIN, DAY, HOUR, SHOP, small_history

MINUTE = timedelta(minutes=1)
LIST, DETAILS = "/execution/summary", "/execution/v2/"
FAULTS: Mapping[str, Fault] = {
    "429": Fault(faults.too_many_requests(retry_after=0), path=LIST, nth=2, times=2),
    "401 in the middle": Fault(faults.unauthorised(), path=LIST, nth=3, times=2),
    "403 for a while": Fault(faults.forbidden(), path=LIST, nth=2, times=1),
    "500": Fault(faults.server_error(), path=LIST, nth=2, times=3),
    "502": Fault(faults.bad_gateway(), path=LIST, nth=2, times=5),
    "cut connection": Fault(faults.cut_short(), path=LIST, times=2),
    "half an answer": Fault(faults.truncated(), path=LIST, nth=2, times=2),
    "a page for people": Fault(faults.html_page(), path=LIST, nth=2, times=2),
    "a page repeated": Fault(faults.repeated_page(), path=LIST, times=2),
}


@pytest.fixture
def harness() -> Iterator[HarnessServer]:
    """Six executions: three that build, and three that deploy."""
    with HarnessServer(small_history(), token=TOKEN) as server:
        yield server


@pytest.fixture
def many() -> Iterator[HarnessServer]:
    """Forty executions in pages of nine: an hour of rollouts, and builds of five minutes."""
    with HarnessServer(many_executions(), token=TOKEN, page=9) as server:
        yield server


def many_executions() -> DeliveryHistory:
    runs = with_runs([BEGIN + number * 3 * MINUTE for number in range(20)]).runs
    deployments = with_deployments([BEGIN + number * 4 * MINUTE for number in range(20)])
    return replace(deployments, runs=runs)


def connector(harness: HarnessServer, **values: str) -> Harness:
    return Harness(Settings({"base_url": f"{harness.url}/", "account": "acme", **values}, {"token": TOKEN}))


def pages_of(harness: HarnessServer, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    of = connector(harness)
    project = only_resource(of, ResourceKind.PIPELINE)
    harness.requests.clear()
    return read_pages(of, project, Kind.PIPELINE_RUN, cursor, now=harness.at)


def runs_of(pages: list[Page]) -> list[PipelineRunDraft]:
    return [draft for draft in drafts_of(pages) if isinstance(draft, PipelineRunDraft)]


def deployments_of(pages: list[Page]) -> list[DeploymentDraft]:
    return [draft for draft in drafts_of(pages) if isinstance(draft, DeploymentDraft)]


def lasting(until: datetime) -> DeliveryHistory:
    """A rollout that begins with the history and ends then."""
    history = with_deployments([BEGIN])
    (rollout,) = history.deployments
    began, ended = rollout.statuses
    return replace(history, deployments=(replace(rollout, statuses=(began, replace(ended, at=until))),), runs=())


def test_under_every_fault_the_drafts_are_the_same(many: HarnessServer) -> None:
    usual = by_id(drafts_of(pages_of(many)))
    assert len(usual) == 60
    of = connector(many)
    project = only_resource(of, ResourceKind.PIPELINE)
    read: Callable[[], Any] = lambda: read_despite_faults(of, project, Kind.PIPELINE_RUN, now=many.at)  # noqa: E731
    assert faults_that_change(usual, many, FAULTS, read) == []


def test_a_reading_goes_on_from_any_page(many: HarnessServer) -> None:
    pages = pages_of(many)
    assert (len(pages), pages[-1].left) == (5, 0)
    assert_goes_on_from_any_page(pages, lambda cursor: pages_of(many, cursor))


def test_the_newest_come_first(many: HarnessServer) -> None:
    triggered = [run.queued_at for run in runs_of(pages_of(many))]
    assert triggered == sorted(triggered, reverse=True)  # type: ignore[type-var]


def test_nothing_new_costs_one_request(many: HarnessServer) -> None:
    *_, last = pages_of(many)
    (page,) = pages_of(many, last.cursor)
    assert (list(page.records), len(many.requests), page.cursor["open"]) == ([], 1, {})


def test_executions_that_were_triggered_at_the_same_moment_are_all_read_once() -> None:
    history = replace(with_runs([BEGIN] * 30), deployments=())
    with HarnessServer(history, token=TOKEN, page=7) as harness:
        runs = runs_of(pages_of(harness))
    assert (len(runs), len({run.external_id for run in runs})) == (30, 30)


# What goes on ---------------------------------------------------------------------------------------------------------


def test_what_goes_on_is_read_until_it_has_ended_with_two_requests_meanwhile() -> None:
    with HarnessServer(lasting(BEGIN + 20 * DAY), token=TOKEN, at=BEGIN + HOUR) as harness:
        *_, last = pages_of(harness)
        assert [draft.status for draft in deployments_of([last])] == [RunStatus.RUNNING]
        harness.advance(BEGIN + 3 * DAY)
        (going_on,) = pages_of(harness, last.cursor)
        assert (len(harness.requests), len(going_on.records)) == (2, 1)
        harness.advance(BEGIN + 20 * DAY + HOUR)
        (ended,) = pages_of(harness, going_on.cursor)
        assert [(draft.status, draft.finished_at) for draft in deployments_of([ended])] == [
            (RunStatus.SUCCESS, BEGIN + 20 * DAY)
        ]
        (quiet,) = pages_of(harness, ended.cursor)
        assert (len(harness.requests), quiet.records) == (1, [])


def test_what_ends_between_two_requests_is_read() -> None:
    """Between the list of what goes on and that of what has ended: it is in neither."""
    with HarnessServer(lasting(BEGIN + 2 * DAY), token=TOKEN, at=BEGIN + HOUR) as harness:
        *_, last = pages_of(harness)
        harness.advance(BEGIN + 2 * DAY - MINUTE)
        harness.faults = [
            Fault(faults.meanwhile(lambda: harness.advance(BEGIN + 2 * DAY + MINUTE)), path=LIST, body="Running")
        ]
        (page,) = pages_of(harness, last.cursor)
    assert [draft.status for draft in deployments_of([page])] == [RunStatus.SUCCESS]


def test_an_execution_that_was_deleted_while_it_ran_is_let_go() -> None:
    with HarnessServer(lasting(BEGIN + 2 * DAY), token=TOKEN, at=BEGIN + HOUR) as harness:
        *_, last = pages_of(harness)
    with HarnessServer(replace(small_history(), runs=(), deployments=()), token=TOKEN) as emptied:
        (page,) = pages_of(emptied, last.cursor)
    assert (page.records, page.cursor["open"]) == ([], {})


def test_what_never_ends_is_looked_at_for_a_time() -> None:
    with HarnessServer(lasting(BEGIN + 90 * DAY), token=TOKEN, at=BEGIN + HOUR) as harness:
        *_, last = pages_of(harness)
        harness.advance(BEGIN + 40 * DAY)
        (page,) = pages_of(harness, last.cursor)
    assert page.cursor["open"] == {}


def test_many_that_end_at_once_are_read_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "AT_A_TIME", 10)
    history = replace(with_deployments([BEGIN + number * MINUTE for number in range(25)]), runs=())
    with HarnessServer(history, token=TOKEN, at=BEGIN + 30 * MINUTE) as harness:
        *_, last = pages_of(harness)
        harness.advance(BEGIN + 3 * HOUR)
        ended, cursor = [], last.cursor
        for _ in range(3):
            (page,) = pages_of(harness, cursor)
            ended += [draft for draft in deployments_of([page]) if draft.status is RunStatus.SUCCESS]
            cursor = page.cursor
    assert (len(ended), len(by_id(ended)), cursor["open"]) == (25, 25, {})


def test_environments_are_read_where_stages_do_not_say_what_is_production(harness: HarnessServer) -> None:
    harness.without_types = True
    harness.types = {"staging": "Production"}
    found = {draft.native_environment: draft.is_production for draft in deployments_of(pages_of(harness))}
    assert found == {"staging": True, "production": True}
    assert len([one for one in harness.requests if "environmentsV2" in one.path]) == 1


def test_without_the_right_to_environments_their_names_decide(harness: HarnessServer) -> None:
    harness.without_types = True
    harness.faults = [Fault(faults.forbidden(), path="environmentsV2", times=None)]
    assert {draft.is_production for draft in deployments_of(pages_of(harness))} == {None}


# The commonest complaints about other tools' connectors ---------------------------------------------------------------


def test_a_year_is_read_although_a_list_without_times_has_the_latest_alone() -> None:
    """A list that is asked for without a time range has the last days only, and a range needs both ends: Harness'
    source, `setTimeRangeIfNotAlreadySet`; https://developer.harness.io/kb/continuous-delivery/continuous-delivery-faqs.
    """
    history = replace(with_runs([BEGIN + number * 10 * DAY for number in range(40)]), deployments=())
    with HarnessServer(replace(history, ends_at=BEGIN + 400 * DAY), token=TOKEN, page=9) as harness:
        assert len(runs_of(pages_of(harness))) == 40


def test_the_attempt_before_a_retry_is_not_lost(harness: HarnessServer) -> None:
    """A list has the last of several retries unless all are asked for, and the failure that people wait for is gone:
    https://developer.harness.io/docs/platform/pipelines/failure-handling/resume-pipeline-deployments.
    """
    tried = [run for run in runs_of(pages_of(harness)) if run.name == "CI"]
    assert sorted((run.attempt, run.status) for run in tried) == [(1, RunStatus.FAILURE), (2, RunStatus.SUCCESS)]
    assert len({run.run for run in tried}) == 1


def test_a_pipeline_is_a_deployment_per_environment(harness: HarnessServer) -> None:
    """One pipeline that brings a change to staging and production is counted as one deployment, or its failure in
    production as one of staging: Harness' own figures are by service and environment.
    https://developer.harness.io/docs/continuous-delivery/monitor-deployments/dora-metrics-dashboard
    """
    (rollout, *_) = (one for one in harness.executions() if one["layoutNodeMap"] and "cd" in one["modules"])
    stages = rollout["layoutNodeMap"]
    (id_,) = (key for key, node in stages.items() if node["module"] == "cd")
    production = json.loads(json.dumps(stages[id_]))
    production["moduleInfo"]["cd"]["infraExecutionSummary"].update(identifier="prod", name="prod", type="Production")
    both = {**rollout, "status": "Failed", "layoutNodeMap": {**stages, "other": {**production, "status": "Failed"}}}
    found = {"status": "SUCCESS", "data": {"content": [both], "last": True, "totalElements": 1}}
    harness.faults = [Fault(faults.instead(Answer.of(found)), path=LIST)]
    deployments = {draft.native_environment: draft for draft in deployments_of(pages_of(harness))}
    assert {name: draft.status for name, draft in deployments.items()} == {
        "staging": RunStatus.SUCCESS,
        "prod": RunStatus.FAILURE,
    }


# The form -------------------------------------------------------------------------------------------------------------


def test_the_check_names_every_permission(harness: HarnessServer) -> None:
    of = connector(harness)
    text = "Missing permission core_pipeline_view on pipeline"
    refused = Answer.of({"status": "ERROR", "code": "NG_ACCESS_DENIED", "message": text}, status=403)
    with ConnectionHttp(of, patience=QUICK) as http:
        assert [(one.what, one.works) for one in of.check(http)] == [
            ("Projects", True),
            ("Pipelines and their executions", True),
            ("Environments", True),
        ]
        harness.faults = [Fault(faults.instead(refused), path=LIST, times=None)]
        (lacking,) = (one for one in of.check(http) if not one.works)
    assert (text in lacking.remedy, "Grant Pipelines: View" in lacking.remedy) == (True, True)


def test_the_check_says_that_a_token_sees_no_project(harness: HarnessServer) -> None:
    of = connector(harness, organisations="elsewhere")
    with ConnectionHttp(of, patience=QUICK) as http:
        (only,) = of.check(http)
    assert (only.works, only.remedy.startswith("The token sees no project of the account acme.")) == (False, True)


def test_a_refused_token_makes_everything_else_useless(harness: HarnessServer) -> None:
    of = Harness(Settings({"base_url": harness.url, "account": "acme"}, {"token": "another"}))
    with ConnectionHttp(of, patience=QUICK) as http, pytest.raises(CredentialRefusedError, match="Token is not valid"):
        of.check(http)


def test_the_account_is_that_of_the_token_unless_the_form_has_one() -> None:
    def account(token: str, given: str = "") -> str:
        return Harness(Settings({"account": given}, {"token": token})).account

    assert account("sat.abcdef.0123.secret") == account("pat.abcdef.0123.secret") == "abcdef"
    assert account("sat.abcdef.0123.secret", "other") == "other"
    nothing = Harness(Settings({}, {"token": "opaque"}))
    with ConnectionHttp(nothing, patience=QUICK) as http, pytest.raises(PermanentError, match="which account"):
        nothing.check(http)


def test_projects_of_a_large_account_are_all_offered(harness: HarnessServer) -> None:
    """In several pages, and never the same one for ever."""
    projects = [{"project": {"orgIdentifier": "default", "identifier": f"p{n}", "name": f"P {n}"}} for n in range(120)]

    def listed(request: Any, answer: Any) -> Answer:
        number, size = int(request.query["pageIndex"]), int(request.query["pageSize"])
        content = projects[number * size : (number + 1) * size]
        return Answer.of({"status": "SUCCESS", "data": {"content": content, "totalPages": 3}})

    harness.faults = [Fault(listed, path="/ng/api/projects", times=None)]
    of = connector(harness)
    with ConnectionHttp(of, patience=QUICK) as http:
        found = [draft.name for draft in of.resources(http)]
    assert (len(found), found[0], found[-1]) == (120, "default/P 0", "default/P 119")


# Notifications --------------------------------------------------------------------------------------------------------

EVENT = {"orgIdentifier": "default", "projectIdentifier": "shop", "planExecutionId": "x", "eventType": "PipelineEnd"}
BODY = json.dumps({"eventData": EVENT}).encode()


@pytest.mark.parametrize(
    ("header", "secret", "arrives"),
    [
        ("Bearer only-for-tests", "only-for-tests", True),
        ("bearer only-for-tests", "only-for-tests", True),
        ("Bearer another", "only-for-tests", False),
        ("only-for-tests", "only-for-tests", False),
        ("Bearer ", "", False),
        ("", "only-for-tests", False),
    ],
)
def test_only_notifications_with_the_secret_arrive(header: str, secret: str, arrives: bool) -> None:
    arrival = Harness(Settings({}, {})).arrival({"authorization": header}, BODY, secret)
    assert (arrival is not None) == arrives
    if arrival is not None:
        assert arrival == Arrival(arrival.delivery_id, "PipelineEnd")


@pytest.mark.parametrize(
    ("event", "told", "news"),
    [
        ("PipelineEnd", EVENT, ("default/shop", Kind.PIPELINE_RUN)),
        ("StageFailed", EVENT, ("default/shop", Kind.PIPELINE_RUN)),
        ("StepFailed", EVENT, None),
        ("PipelineEnd", {}, None),
        ("unknown", EVENT, None),
    ],
)
def test_a_notification_says_which_project_to_read(event: str, told: Any, news: Any) -> None:
    harness = Harness(Settings({}, {}))
    assert harness.news(event, {"eventData": told}) == news
    assert harness.deliveries(event, {"eventData": told}) == (None if news is None else ())


def test_a_failed_rollout_and_its_repair_are_two(harness: HarnessServer) -> None:
    states = [draft.status for draft in deployments_of(pages_of(harness)) if draft.native_environment == "production"]
    assert states == [RunStatus.SUCCESS, RunStatus.FAILURE]


def test_a_rollback_in_the_history_names_the_deployment_it_takes_back() -> None:
    history = small_history()
    last = history.deployments[-1]
    back = replace(
        last,
        id=5999,
        created_at=last.created_at + HOUR,
        rollback_of=last.id,
        statuses=(
            DeploymentStatus(6991, last.created_at + HOUR, DeploymentState.IN_PROGRESS, None),
            DeploymentStatus(6992, last.created_at + HOUR + MINUTE, DeploymentState.SUCCESS, None),
        ),
    )
    history = replace(history, deployments=(*history.deployments, back))
    with HarnessServer(history, token=TOKEN, services={SHOP.name: "Shop front"}) as harness:
        newest, taken_back, *_ = deployments_of(pages_of(harness))
    assert newest.rollback_of == taken_back.external_id
    assert (newest.service, newest.unplanned) == ("Shop front", True)
