"""Sends the demo's year through the receiver, connects its repositories, and waits until the pages show everything."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from demo.load.agreements import write_demo_agreements
from demo.load.allocation import write_demo_targets
from demo.load.annotations import write_demo_annotations
from demo.load.begin import year_of
from demo.load.benchmarks import write_demo_benchmarks
from demo.load.budgets import write_demo_budgets
from demo.load.capitalisation import write_demo_capitalisation
from demo.load.dashboards import make_demo_dashboard, publish_demo_philosophy
from demo.load.digests import write_demo_digests
from demo.load.experiments import write_demo_experiments
from demo.load.hand_kept import write_demo_hand_kept
from demo.load.identities import confirm_demo_people
from demo.load.meetings import write_demo_meetings
from demo.load.mirrors import mirrors_waiting, postpone_on_both_sides, start_demo_mirrors
from demo.load.objectives import plan_demo_objectives, write_demo_objectives
from demo.load.ownership import confirm_demo_owners
from demo.load.qbr import freeze_demo_report, late_incident, write_demo_qbrs
from demo.load.reminders import tell_demo_people
from demo.load.repositories import commits_waiting, repositories_waiting, write_and_connect
from demo.load.reviews import write_demo_reviews
from demo.load.roadmap import write_demo_roadmap
from demo.load.tickets import write_demo_tickets
from demo.load.tools import connect_tools, follow_to_another_port, simulated_tools, streams_waiting, tools_waiting
from demo.plan.pushing import push_incidents, push_reports
from demo.plan.quality_reports import quality_reports
from demo.plan.repositories import REPOSITORIES
from demo.plan.sending import Sent, send_year
from demo.plan.tools import PUSHED
from demo.plan.year import DemoYear
from demo.providers.serve import DemoTools, history_of
from insights.columns.refresh import changes_waiting, refresh
from insights.findings.night import look_for_findings
from insights.forecasts.records import record_forecasts
from insights.forecasts.sprint_records import record_sprints
from insights.query.windows import local_today
from integrations.code.git.line_history import sync_line_histories
from integrations.delivery.work_types.predicting import predict_work_types
from integrations.models import EffortWeek, IngestScope, ReceivedBatch
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token, revoke_ingest_token
from integrations.telemetry.tasks import reprice_waiting
from orgtree.identities.match_identities import match_identities
from programs.models import DemoRun

_TOKEN_NAME = "Demo organisation"  # noqa: S105 - its name; it is revoked when the demo is sent
_SECONDS_BETWEEN_REPORTS = 3.0
_SECONDS_BETWEEN_CHECKS = 0.25
_SHARE_TO_ESTIMATE = 0.03  # before so much is done, nothing can be said of the time left
_PATIENCE_SECONDS = 900.0  # without any progress, which is long on a busy machine

Report = Callable[[str], None]


class NoProgressError(Exception):
    """Sent data is stored, but no worker processes it."""

    def __init__(self, waiting: str) -> None:
        super().__init__(
            f"Everything was received, but for {_PATIENCE_SECONDS:.0f} s nothing was done with {waiting}. "
            "Is the worker running? It continues by itself; run `manage.py demo` again to wait for it."
        )


@dataclass(frozen=True, slots=True)
class Played:
    """The result of a call: the records that it sent (none if all were sent before), and since when everything is
    stored.
    """

    completed_at: datetime
    sent: Sent
    sending_seconds: float
    waiting_seconds: float


def play_demo(run: DemoRun, *, base_url: str, report: Report) -> Played:
    """Send all weeks, newest first, and return once everything is folded, attributed and in the columns.

    The repositories follow the telemetry, so that each commit is attributed once; the simulated tools follow the
    repositories because their records refer to those commits.  Safe to call again after an interruption: the receiver
    recognises what it already has, a repository is written once, and a sync resumes where it stopped.  Raises
    ReceiverRefusedError, ReceiverAwayError, ToolsAwayError, PushRefusedError or NoProgressError.
    """
    if run.completed_at is not None:
        follow_to_another_port(run)
        return Played(run.completed_at, Sent(), 0.0, 0.0)
    started = time.monotonic()
    sent = Sent() if run.sent_at is not None else _send(run, base_url, report)
    sent_at = time.monotonic()
    _wait(ReceivedBatch.objects.count, "received batches", report)
    commits = write_and_connect(year_of(run))
    report(f"Wrote {len(REPOSITORIES)} repositories with {commits:,} commits.")
    with simulated_tools(run) as tools:  # they begin to play their year while the repositories are read
        _read(tools, run, base_url, report)
        _write(tools, run, base_url, report)
    tell_demo_people(year_of(run), today=local_today())
    completed_at = run.completed_at = timezone.now()
    run.save(update_fields=["completed_at"])
    return Played(completed_at, sent, sent_at - started, time.monotonic() - sent_at)


def _read(tools: DemoTools, run: DemoRun, base_url: str, report: Report) -> None:
    """Read all other sources, once telemetry is processed."""
    _wait(repositories_waiting, "repositories to read", report)
    match_identities()  # whose commits are whose changes what is attributed and counted below
    connect_tools(tools)
    _wait(commits_waiting, "commits to attribute", report)
    _wait(tools_waiting, "simulated tools to list", report)
    _wait(streams_waiting, "streams of the simulated tools to read", report)
    _push_all_incidents(tools, base_url)
    sync_line_histories()  # otherwise the minute's sweep would, and recompute all changed figures
    _wait(commits_waiting, "commits to attribute", report)
    match_identities()
    report(f"Confirmed the people of {confirm_demo_people()} logins.")
    report(f"Confirmed {confirm_demo_owners(year_of(run).flavour.tools)} proposed owners of repositories.")
    write_demo_annotations(year_of(run))
    make_demo_dashboard(year_of(run))
    publish_demo_philosophy(year_of(run))
    refresh(math.inf)  # in parallel with the worker, which takes other partitions
    _wait(changes_waiting, "changes of facts and stale partitions", report)
    record_sprints()
    record_forecasts()  # each night does; the demo begins with those of a year


def _write(tools: DemoTools, run: DemoRun, base_url: str, report: Report) -> None:
    """Write what people of the organisation author: tickets, objectives, reviews, and so on."""
    year, today = year_of(run), local_today()
    write_demo_hand_kept(year, today=today)
    write_demo_budgets(year, today=today)
    write_demo_targets(year, today=today)
    write_demo_agreements(year, today=today)
    write_demo_benchmarks(year, today=today)
    write_demo_objectives(year, today=today)
    write_demo_roadmap(year, today=today)
    write_demo_tickets(year, today=today)
    write_demo_experiments(year, today=today)
    start_demo_mirrors(year)
    plan_demo_objectives()
    write_demo_meetings(year, today=today)
    write_demo_reviews(year, today=today)
    write_demo_qbrs(year)
    _wait(mirrors_waiting, "tickets to mirror", report)
    postpone_on_both_sides(tools)
    _push(year, base_url)
    _wait(changes_waiting, "changes of facts and stale partitions", report)
    _wait(lambda: EffortWeek.objects.exclude(stale_since=None).count(), "weeks of people's time", report)
    write_demo_capitalisation(year, today=today)
    look_for_findings()  # about the teams that set objectives
    predict_work_types()  # it is off: how right it would be
    freeze_demo_report(year)
    write_demo_digests(year)


def _send(run: DemoRun, base_url: str, report: Report) -> Sent:
    year = year_of(run)
    reprice_waiting()  # the first sweep of an installation reprices everything received by then
    token, secret = create_ingest_token(_TOKEN_NAME)
    pace = _Pace(report)
    started = time.monotonic()
    try:
        sent = send_year(
            year,
            base_url=base_url,
            token=secret,
            on_progress=lambda sent: pace.tell(
                f"Sent {sent.weeks} of {year.weeks_of_telemetry} weeks, {sent.sessions:,} sessions",
                share=sent.weeks / year.weeks_of_telemetry,
            ),
        )
    finally:
        revoke_ingest_token(token)
    run.sent_at = timezone.now()
    run.save(update_fields=["sent_at"])
    report(
        f"Sent {sent.sessions:,} sessions in {sent.records:,} records ({sent.requests} requests) "
        f"in {time.monotonic() - started:.0f} s."
    )
    return sent


def _push(year: DemoYear, base_url: str) -> None:
    """Push the reports of pipelines, and the incident that a script sends late."""
    late = late_incident(year)
    token, secret = create_ingest_token(_TOKEN_NAME, scope=IngestScope.PUSH)
    try:
        push_reports(quality_reports(year), tools=year.flavour.tools, base_url=base_url, token=secret)
        if late is not None:
            push_incidents([late], tools=year.flavour.tools, base_url=base_url, token=secret)
    finally:
        revoke_ingest_token(token)


def _push_all_incidents(tools: DemoTools, base_url: str) -> None:
    """Push the history's incidents if no tool has them."""
    history = history_of(tools) if tools.of_flavour.incidents == PUSHED else None
    if history is None:
        return
    token, secret = create_ingest_token(_TOKEN_NAME, scope=IngestScope.PUSH)
    try:
        push_incidents(history.incidents, tools=tools.of_flavour, base_url=base_url, token=secret)
    finally:
        revoke_ingest_token(token)


def _wait(count_waiting: Callable[[], int], what: str, report: Report) -> None:
    """Return when nothing is waiting any more; raise NoProgressError if the number stays the same for too long."""
    pace = _Pace(report)
    fewest = first = count_waiting()
    progress_at = time.monotonic()
    while waiting := count_waiting():
        if waiting < fewest:
            fewest, progress_at = waiting, time.monotonic()
        elif time.monotonic() - progress_at > _PATIENCE_SECONDS:
            raise NoProgressError(f"{waiting} {what}")
        pace.tell(f"{what.capitalize()}: {waiting:,} left", share=1 - waiting / max(first, waiting))
        time.sleep(_SECONDS_BETWEEN_CHECKS)


class _Pace:
    """Reports progress at most once every few seconds, with the remaining time estimated from the share done so far."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._sentence = ""
        self._started = self._reported_at = time.monotonic()

    def tell(self, sentence: str, *, share: float) -> None:
        now = time.monotonic()
        if sentence == self._sentence or now - self._reported_at < _SECONDS_BETWEEN_REPORTS:
            return
        self._reported_at, self._sentence = now, sentence
        left = f", about {(now - self._started) * (1 - share) / share:.0f} s left" if share > _SHARE_TO_ESTIMATE else ""
        self._report(f"{sentence}{left}.")
