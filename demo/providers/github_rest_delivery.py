"""The REST API of the simulated GitHub: workflow runs, jobs, deployments, releases, webhooks."""

from __future__ import annotations

from datetime import datetime
from operator import itemgetter

from demo.plan.delivery import Deployment, PipelineRun
from demo.providers import github_delivery as delivery
from demo.providers.faults import Answer
from demo.providers.github_payloads import Json
from demo.providers.github_routes import REPOSITORY, Call, NotFoundError, UnprocessableError, end_of, route, time_of

_RUNS_PER_SEARCH = 1000  # what a list of runs gives once it is filtered


# Actions ---------------------------------------------------------------------------------------------------------


@route(f"{REPOSITORY}/actions/runs", "actions")
def runs(call: Call, owner: str, name: str) -> Answer:
    matching = list(reversed(call.shown.runs.get(call.repository(owner, name).name, [])))
    query = call.request.query
    filters = [name for name in ("created", "branch", "event", "head_sha", "status") if query.get(name)]
    if filters and (call.page - 1) * call.per_page >= _RUNS_PER_SEARCH:
        raise UnprocessableError(f"In order to have access to more than {_RUNS_PER_SEARCH} results, narrow the search.")
    if "created" in filters:
        matching = [record for record in matching if _is_within(record.created_at, query["created"])]
    if "branch" in filters:
        matching = [record for record in matching if record.branch == query["branch"]]
    if "event" in filters:
        matching = [record for record in matching if record.trigger == query["event"]]
    if "head_sha" in filters:
        matching = [record for record in matching if record.commit.sha == query["head_sha"]]
    shown = [(record, _shown_run(call, record)) for record in matching] if "status" in filters else []
    if shown:
        matching = [record for record, run in shown if query["status"] in (run["status"], run["conclusion"])]
    return call.counted("workflow_runs", matching, lambda record: _shown_run(call, record))


@route(f"{REPOSITORY}/actions/runs/(?P<run>[0-9]+)", "actions")
def run(call: Call, owner: str, name: str, run: str) -> Answer:
    return Answer.of(_shown_run(call, _run(call, owner, name, run)))


@route(f"{REPOSITORY}/actions/runs/(?P<run>[0-9]+)/attempts/(?P<attempt>[0-9]+)", "actions")
def attempt(call: Call, owner: str, name: str, run: str, attempt: str) -> Answer:
    pipeline_run = _run(call, owner, name, run)
    for known_attempt in delivery.attempts_until(pipeline_run, call.shown.at):
        if known_attempt.number == int(attempt):
            return Answer.of(delivery.workflow_run(call.payloads, pipeline_run, known_attempt, call.shown.at))
    raise NotFoundError


@route(f"{REPOSITORY}/actions/runs/(?P<run>[0-9]+)/jobs", "actions")
def jobs(call: Call, owner: str, name: str, run: str) -> Answer:
    """List the jobs of the latest attempt, or of all with filter=all."""
    pipeline_run = _run(call, owner, name, run)
    attempts = delivery.attempts_until(pipeline_run, call.shown.at)
    if call.request.query.get("filter", "latest") != "all":
        attempts = attempts[-1:]
    return _jobs(call, pipeline_run, [known_attempt.number for known_attempt in attempts])


@route(f"{REPOSITORY}/actions/runs/(?P<run>[0-9]+)/attempts/(?P<attempt>[0-9]+)/jobs", "actions")
def jobs_of_attempt(call: Call, owner: str, name: str, run: str, attempt: str) -> Answer:
    return _jobs(call, _run(call, owner, name, run), [int(attempt)])


def _jobs(call: Call, run: PipelineRun, attempts: list[int]) -> Answer:
    at = call.shown.at
    listed = [
        (attempt, job)
        for attempt in delivery.attempts_until(run, at)
        if attempt.number in attempts
        for job in attempt.jobs
        if job.queued_at <= at
    ]
    return call.counted("jobs", listed, lambda record: delivery.workflow_job(call.payloads, run, *record, at))


def _run(call: Call, owner: str, name: str, run: str) -> PipelineRun:
    for pipeline_run in call.shown.runs.get(call.repository(owner, name).name, []):
        if pipeline_run.id == int(run):
            return pipeline_run
    raise NotFoundError


def _shown_run(call: Call, run: PipelineRun) -> Json:
    return delivery.workflow_run(call.payloads, run, delivery.attempts_until(run, call.shown.at)[-1], call.shown.at)


# Deployments and releases ----------------------------------------------------------------------------------------


@route(f"{REPOSITORY}/deployments", "deployments")
def deployments(call: Call, owner: str, name: str) -> Answer:
    listed = list(reversed(call.shown.deployments.get(call.repository(owner, name).name, [])))
    for field in ("environment", "sha", "ref"):
        if value := call.request.query.get(field):
            listed = [record for record in listed if getattr(record, field) == value]
    return call.listed(listed, lambda record: delivery.deployment(call.payloads, record, call.shown.at))


@route(f"{REPOSITORY}/deployments/(?P<number>[0-9]+)/statuses", "deployments")
def deployment_statuses(call: Call, owner: str, name: str, number: str) -> Answer:
    """Newest first."""
    record = _deployment(call, owner, name, number)
    statuses = [status for status in reversed(record.statuses) if status.at <= call.shown.at]
    return call.listed(statuses, lambda status: delivery.deployment_status(call.payloads, record, status))


@route(f"{REPOSITORY}/deployments/(?P<number>[0-9]+)", "deployments")
def deployment(call: Call, owner: str, name: str, number: str) -> Answer:
    return Answer.of(delivery.deployment(call.payloads, _deployment(call, owner, name, number), call.shown.at))


def _deployment(call: Call, owner: str, name: str, number: str) -> Deployment:
    for record in call.shown.deployments.get(call.repository(owner, name).name, []):
        if record.id == int(number):
            return record
    raise NotFoundError


@route(f"{REPOSITORY}/releases", "contents")
def releases(call: Call, owner: str, name: str) -> Answer:
    listed = list(reversed(call.shown.releases.get(call.repository(owner, name).name, [])))
    return call.listed(listed, lambda record: delivery.release(call.payloads, record))


@route(f"{REPOSITORY}/code-scanning/alerts", "security_events")
def code_scanning_alerts(call: Call, owner: str, name: str) -> Answer:
    """The last changed first; a repository that never had one is not analysed."""
    alerts = call.shown.alerts.get(call.repository(owner, name).name, [])
    if not alerts:
        return Answer.of({"message": "no analysis found", "status": "404"}, status=404)
    shown = [delivery.code_scanning_alert(call.payloads, alert, call.shown.at) for alert in alerts]
    return call.listed(sorted(shown, key=itemgetter("updated_at"), reverse=True), dict)


# Hooks -----------------------------------------------------------------------------------------------------------


@route(f"{REPOSITORY}/hooks", "repository_hooks")
def hooks(call: Call, owner: str, name: str) -> Answer:
    found_at = call.repository(owner, name)
    return call.listed(call.hooks.at(found_at), lambda record: record.payload(call.payloads))


@route(f"{REPOSITORY}/hooks", "repository_hooks", method="POST")
def add_hook(call: Call, owner: str, name: str) -> Answer:
    hook = call.hooks.add(call.repository(owner, name), call.request.json(), at=call.shown.at)
    if hook is None:
        raise UnprocessableError("Hook already exists on this repository")
    return Answer.of(hook.payload(call.payloads), status=201)


@route(f"{REPOSITORY}/hooks/(?P<hook>[0-9]+)", "repository_hooks", method="DELETE")
def remove_hook(call: Call, owner: str, name: str, hook: str) -> Answer:
    if not call.hooks.remove(call.repository(owner, name), int(hook)):
        raise NotFoundError
    return Answer(204)


def _is_within(at: datetime, expression: str) -> bool:
    """GitHub's search syntax for times: A..B, >=A, >A, <=B, <B, or a day."""
    first, dots, last = expression.partition("..")
    if dots:
        return (first == "*" or at >= time_of(first)) and (last == "*" or at <= end_of(last))
    if expression.startswith(">="):
        return at >= time_of(expression[2:])
    if expression.startswith("<="):
        return at <= end_of(expression[2:])
    if expression.startswith(">"):
        return at > end_of(expression[1:])
    if expression.startswith("<"):
        return at < time_of(expression[1:])
    return time_of(expression) <= at <= end_of(expression)
