"""Builds of Jenkins: positions and numbers, what changes meanwhile, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.jenkins_server import JenkinsServer
from integrations.connectors.drafts import ProvidedParts
from integrations.connectors.errors import CredentialRefusedError, PermanentError, TransientError
from integrations.connectors.http import ConnectionHttp
from integrations.connectors.jenkins import records
from integrations.enums import Kind, RunStatus
from tests.connectors.jenkins.conftest import BRANCHES, ROLLOUTS, busy_history, deployment, run
from tests.connectors.jenkins.reading import (
    CHECKS,
    ROLLOUT,
    RULE,
    connector,
    deployments_in,
    pages_of,
    pipeline,
    runs_in,
)
from tests.connectors.reading import QUICK, drafts_of, read_despite_faults
from tests.demo.small_history import BEGIN, DAY, HOUR

ALL_ROLLOUTS = ROLLOUTS + 3  # with those of the small history
FAULTS: Mapping[str, Callable[[], Fault]] = {
    "429": lambda: Fault(faults.too_many_requests(retry_after=0), nth=3, times=2),
    "429 that names no time": lambda: Fault(faults.too_many_requests(), path="allBuilds", nth=2),
    "401 in the middle": lambda: Fault(faults.unauthorised(), nth=4, times=2),
    "403 in the middle": lambda: Fault(faults.forbidden(), nth=5),
    "500": lambda: Fault(faults.server_error(), path="wfapi", nth=2, times=3),
    "502": lambda: Fault(faults.bad_gateway(), path="allBuilds", times=5),
    "cut connection": lambda: Fault(faults.cut_short(), path="api/json", nth=2, times=2),
    "half an answer": lambda: Fault(faults.truncated(), path="allBuilds", nth=2, times=2),
    "the first page once more": lambda: Fault(faults.repeated_page(), path=r"rollout.*allBuilds.*\{(0|95),", times=2),
    "a page for people": lambda: Fault(faults.html_page(), path="wfapi", times=2),
}


@pytest.mark.parametrize("name", [CHECKS, ROLLOUT])
def test_under_every_fault_the_same_is_read(jenkins: JenkinsServer, name: str) -> None:
    usual = drafts_of(pages_of(jenkins, name, deployments=RULE))
    assert len(runs_in(usual)) > 40
    of = connector(jenkins, deployments=RULE)
    differing = []
    for fault_name, fault in FAULTS.items():
        jenkins.faults = [fault()]
        read = read_despite_faults(of, pipeline(name), Kind.PIPELINE_RUN, now=jenkins.at)
        if (runs_in(read), deployments_in(read)) != (runs_in(usual), deployments_in(usual)):
            differing.append(fault_name)
    assert differing == []


def test_a_reading_goes_on_from_any_page(jenkins: JenkinsServer) -> None:
    for name in (CHECKS, ROLLOUT):
        pages = pages_of(jenkins, name)
        usual = runs_in(drafts_of(pages))
        assert not any(page.complete for page in pages)
        for position, page in enumerate(pages[:-1]):
            rest = pages_of(jenkins, name, page.cursor)
            assert runs_in(drafts_of([*pages[: position + 1], *rest])) == usual


def test_the_newest_builds_come_first_and_a_job_takes_a_request_for_a_hundred(jenkins: JenkinsServer) -> None:
    runs = list(runs_in(drafts_of(pages_of(jenkins, ROLLOUT))).values())
    times = [one.started_at for one in runs]
    assert times == sorted(times, key=str, reverse=True)
    lists = [one for one in jenkins.requests if "allBuilds" in one.path]
    assert (len(runs), len(lists)) == (ALL_ROLLOUTS, 2)


def test_branches_are_read_whatever_their_names(jenkins: JenkinsServer) -> None:
    branches = {one.branch for one in runs_in(drafts_of(pages_of(jenkins, CHECKS))).values()}
    assert branches == {*BRANCHES, "PR-2"}


def test_nothing_new_costs_one_request(jenkins: JenkinsServer) -> None:
    for name in (CHECKS, ROLLOUT):
        *_, last = pages_of(jenkins, name)
        jenkins.requests.clear()
        (page,) = pages_of(jenkins, name, last.cursor)
        assert (page.records, len(jenkins.requests)) == ([], 1)


def test_builds_that_begin_and_builds_that_go_while_pages_are_read_leave_no_gap(jenkins: JenkinsServer) -> None:
    usual = runs_in(drafts_of(pages_of(jenkins, ROLLOUT)))
    jenkins.advance(BEGIN + 120 * HOUR)
    pages = pages_of(jenkins, ROLLOUT, most=2)
    jenkins.advance(busy_history().ends_at)
    after_new = pages_of(jenkins, ROLLOUT, pages[-1].cursor)
    assert runs_in(drafts_of([*pages, *after_new, *pages_of(jenkins, ROLLOUT, after_new[-1].cursor)])) == usual

    first, *_ = pages_of(jenkins, ROLLOUT)
    newest = busy_history().deployments[-60:]
    jenkins.show(replace(busy_history(), deployments=busy_history().deployments[:-60]))  # somebody deletes them
    rest = runs_in(drafts_of(pages_of(jenkins, ROLLOUT, first.cursor)))
    gone = {f"{one.id * 10 + 9}" for one in newest}
    expected = {id_ for id_ in usual if id_.partition("-")[0] not in gone}
    assert expected <= rest.keys() | runs_in(drafts_of([first])).keys()


def test_a_list_that_leads_in_a_circle_has_an_end(jenkins: JenkinsServer) -> None:
    jenkins.faults = [Fault(faults.repeated_page(), path="allBuilds", times=None)]
    with pytest.raises(TransientError, match="leads in a circle"):
        pages_of(jenkins, ROLLOUT)


def test_builds_that_jenkins_rotated_away_stay(jenkins: JenkinsServer) -> None:
    *_, last = pages_of(jenkins, ROLLOUT)
    jenkins.discard(ROLLOUT, 70)
    assert drafts_of(pages_of(jenkins, ROLLOUT, last.cursor)) == []
    again = pages_of(jenkins, ROLLOUT)
    assert len(runs_in(drafts_of(again))) == ALL_ROLLOUTS - 70
    assert not any(page.complete for page in again)


@pytest.mark.parametrize("after", [50, 100])
def test_a_job_that_was_made_anew_is_read_from_its_first_build(jenkins: JenkinsServer, after: int) -> None:
    """Whether its numbers have come to those that were known, or not."""
    jenkins.advance(BEGIN + (20 + after) * HOUR)
    before = pages_of(jenkins, ROLLOUT)
    jenkins.advance(busy_history().ends_at)
    jenkins.make_anew(ROLLOUT, after)
    news = runs_in(drafts_of(pages_of(jenkins, ROLLOUT, before[-1].cursor)))
    assert len(news) == ALL_ROLLOUTS - after


def test_a_renamed_job_has_the_same_builds(jenkins: JenkinsServer) -> None:
    usual = runs_in(drafts_of(pages_of(jenkins, ROLLOUT)))
    jenkins.rename(ROLLOUT, "moved/to/shop-rollout")
    renamed = runs_in(drafts_of(pages_of(jenkins, "moved/to/shop-rollout")))
    assert renamed.keys() == usual.keys()
    assert {one.name for one in renamed.values()} == {"moved/to/shop-rollout"}


def test_a_running_build_is_read_again_until_it_has_ended(jenkins: JenkinsServer) -> None:
    jenkins.show(replace(busy_history(), runs=(run(1, "main", hours=1, lasts=3 * HOUR),)))
    jenkins.advance(BEGIN + 2 * HOUR)
    *_, last = pages_of(jenkins, CHECKS)
    (running,) = runs_in(drafts_of([*pages_of(jenkins, CHECKS)])).values()
    assert (running.status, running.finished_at) == (RunStatus.RUNNING, None)
    jenkins.advance(BEGIN + 3 * HOUR)
    pages = pages_of(jenkins, CHECKS, last.cursor)
    assert drafts_of(pages) == []
    jenkins.advance(BEGIN + 5 * HOUR)
    pages = pages_of(jenkins, CHECKS, pages[-1].cursor)
    (ended,) = runs_in(drafts_of(pages)).values()
    assert (ended.status, ended.finished_at) == (RunStatus.SUCCESS, BEGIN + 4 * HOUR)
    assert pages[-1].cursor["open"] == []


def test_a_build_that_never_ends_costs_one_request_and_is_given_up_in_the_end(jenkins: JenkinsServer) -> None:
    jenkins.show(replace(busy_history(), runs=(run(1, "main", hours=1, lasts=400 * DAY),)))
    *_, last = pages_of(jenkins, CHECKS, now=BEGIN)
    jenkins.requests.clear()
    (page,) = pages_of(jenkins, CHECKS, last.cursor, now=BEGIN + 3 * DAY)
    assert (page.records, len(page.cursor["open"]), len(jenkins.requests)) == ([], 1, 2)
    (page,) = pages_of(jenkins, CHECKS, page.cursor, now=BEGIN + 40 * DAY)
    assert page.cursor["open"] == []


def test_stages_cost_a_request_for_the_newest_builds_and_none_where_the_plugin_is_missing(
    jenkins: JenkinsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    jenkins.show(replace(busy_history(), deployments=tuple(deployment(number, "prod") for number in range(20, 29))))
    runs = runs_in(drafts_of(pages_of(jenkins, ROLLOUT))).values()
    assert len([one for one in jenkins.requests if "wfapi" in one.path]) == 1
    assert all(isinstance(one.jobs, ProvidedParts) and one.jobs.parts[0].name == "Deploy" for one in runs)
    jenkins.requests.clear()
    jenkins.has_stages = False
    pages_of(jenkins, ROLLOUT)
    assert len([one for one in jenkins.requests if "wfapi" in one.path]) == 1
    monkeypatch.setattr(records, "STAGES_WITHIN", timedelta())
    jenkins.has_stages = True
    jenkins.requests.clear()
    pages_of(jenkins, ROLLOUT)
    assert not [one for one in jenkins.requests if "wfapi" in one.path]


def test_other_rules_are_applied_to_all_builds_and_take_back_what_earlier_ones_made(jenkins: JenkinsServer) -> None:
    *_, last = pages_of(jenkins, ROLLOUT, deployments=RULE)
    *_, unchanged = pages_of(jenkins, ROLLOUT, last.cursor, deployments=RULE)
    assert unchanged.records == []
    narrower = "acme/shop-rollout: environment={REGION}"
    pages = pages_of(jenkins, ROLLOUT, last.cursor, deployments=narrower)
    taken_back = deployments_in(drafts_of(pages))
    assert len(taken_back) == ALL_ROLLOUTS
    assert all(one.deleted for one in taken_back.values())
    assert "undo" not in pages[-1].cursor
    assert deployments_in(drafts_of(pages_of(jenkins, ROLLOUT, deployments=narrower))) == {}


def test_a_job_that_may_not_be_read_is_named(jenkins: JenkinsServer) -> None:
    jenkins.refused = {"acme/shop-ci/feature%2Fcart"}
    with pytest.raises(PermanentError, match="acme/shop-ci/feature/cart: Job/Read is missing"):
        pages_of(jenkins, CHECKS)


def test_a_refused_token_has_an_error_of_its_own(jenkins: JenkinsServer) -> None:
    jenkins.faults = [Fault(faults.unauthorised(), times=None)]
    with pytest.raises(CredentialRefusedError, match="API token"):
        pages_of(jenkins, CHECKS)


def test_folders_are_listed_and_one_that_is_refused_hides_no_other(jenkins: JenkinsServer) -> None:
    jenkins.rename(ROLLOUT, "secret/shop-rollout")
    jenkins.refused = {"secret"}
    with ConnectionHttp(connector(jenkins), patience=QUICK) as http:
        assert {one.name for one in connector(jenkins).resources(http)} == {CHECKS, "acme/shop-deploy"}
