"""Checks what a user can read of a controller, what its plugins add, and what the rules match, with examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from integrations.connectors.base import CheckedPermission, FetchedResource, Http, Json, tried
from integrations.connectors.deployment_rules import Rules, deployment_by
from integrations.connectors.errors import CredentialRefusedError, GoneError, PermanentError
from integrations.connectors.jenkins.builds import TREE, is_pipeline
from integrations.connectors.jenkins.causes import actions_of, parameters_of
from integrations.connectors.jenkins.jobs import (
    Head,
    full_name_of,
    heads_of,
    is_multibranch,
    jobs_below,
    number_of,
    path_of,
    shown,
)
from integrations.connectors.jenkins.sources import repositories_of, source_of
from integrations.connectors.json_text import list_in
from integrations.connectors.rate_limits import response_time
from integrations.connectors.unchecked import object_of, text_of
from integrations.enums import ResourceKind

LOOKED_AT = 500  # jobs that are listed for the test
SAMPLED = 20  # jobs whose newest builds are examined, those that a rule names first
BUILDS = 5
EXAMPLES = 3
CLOCKS_APART = timedelta(minutes=2)
ENVIRONMENTS = frozenset({"env", "environment", "target", "stage", "deploy_env", "target_env", "deploy_to"})
STAGES_REMEDY = "Install the plugin “Pipeline: REST API”. Without it runs have no stages."
QUEUE_REMEDY = "Install the plugin “Metrics”. Without it, queue times of builds are unknown."


def checked(http: Http, *, rules: Rules, libraries: Sequence[str], now: datetime) -> Iterator[CheckedPermission]:
    """One result for each permission.  Raises CredentialRefusedError or PermanentError if nothing works."""
    answer = http.get("whoAmI/api/json", params={"tree": "name,anonymous,authenticated"})
    known = answer.json()
    if object_of(known).get("anonymous") is True:
        raise CredentialRefusedError(
            "Jenkins takes this user for anonymous.", what_to_do="Enter the user's id and an API token of that user."
        )
    user, version = text_of(known, "name"), answer.headers.get("x-jenkins", "")
    found = [f"signed in as {user}" if user else "", f"Jenkins {version}" if version else ""]
    yield CheckedPermission(", ".join(["Overall/Read", *filter(None, found)]), works=True)
    yield _clock(response_time(answer.headers, now) - now)
    refused: list[str] = []
    jobs = list(islice(jobs_below(http, refused=refused), LOOKED_AT))
    yield CheckedPermission(
        f"Jobs and multibranch projects: {len(jobs)}{' or more' if len(jobs) == LOOKED_AT else ''}",
        works=bool(jobs),
        remedy="" if jobs else "None is visible. Grant the user Job/Read on what Headway is to read.",
    )
    if refused:
        named = ", ".join(refused[:EXAMPLES]) + (" and others" if len(refused) > EXAMPLES else "")
        yield CheckedPermission(f"Folders: {named}", works=False, remedy="Grant the user Job/Read on them.")
    if jobs:
        yield from _build_checks(http, _to_sample(jobs, rules), rules, libraries)


def _clock(ahead: timedelta) -> CheckedPermission:
    if abs(ahead) < CLOCKS_APART:
        return CheckedPermission("Clock", works=True)
    minutes = round(abs(ahead).total_seconds() / 60)
    apart = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    remedy = (
        f"Jenkins' clock is {apart} {'ahead of' if ahead > timedelta() else 'behind'} this machine's. Builds keep the "
        "times that Jenkins gives them: set its clock."
    )
    return CheckedPermission("Clock", works=False, remedy=remedy)


def _to_sample(jobs: Sequence[Json], rules: Rules) -> list[Json]:
    """The jobs that a rule names, then those that have builds."""

    def place(job: Json) -> tuple[bool, bool]:
        name = shown(full_name_of(job))
        has_rule = any(
            rule.matches(name) or rule.pattern.casefold().startswith(name.casefold()) for rule in rules.rules
        )
        return not has_rule, not (is_multibranch(job) or job.get("builds"))

    return sorted(jobs, key=place)[:SAMPLED]


def _build_checks(
    http: Http, jobs: Sequence[Json], rules: Rules, libraries: Sequence[str]
) -> Iterator[CheckedPermission]:
    sample: list[tuple[Head, Json]] = []
    refused: list[CheckedPermission] = []
    for job in jobs:
        name = shown(full_name_of(job))
        trial = tried(f"Builds of {name}", partial(sample.extend, _newest(http, job)))  # reads lazily
        if not trial.works:
            refused.append(trial)
    yield from refused or [CheckedPermission("Builds", works=True)]
    if not sample:
        return
    yield from _plugins(http, sample)
    yield _repositories(sample, libraries)
    yield from _deployments(sample, rules)


def _newest(http: Http, job: Json) -> Iterator[tuple[Head, Json]]:
    """The newest builds of a job, or of the most recently built branch of a multibranch project."""
    details = {"multibranch": is_multibranch(job)}
    heads = heads_of(http, FetchedResource(ResourceKind.PIPELINE, full_name_of(job), "", details))
    head = max(heads, key=lambda head: head.began, default=None)
    if head is None or head.newest is None:
        return
    path = path_of(head.name, "api", "json")
    document = http.get(path, params={"tree": f"allBuilds[{TREE}]{{0,{BUILDS}}}"}).json()
    yield from (
        (head, build) for build in list_in(document, "allBuilds", f"Jenkins answered {path}") if isinstance(build, dict)
    )


def _plugins(http: Http, sample: Sequence[tuple[Head, Json]]) -> Iterator[CheckedPermission]:
    pipeline = next(((head, build) for head, build in sample if is_pipeline(build)), None)
    if pipeline is not None:
        head, build = pipeline
        try:
            http.get(path_of(head.name, number_of(build), "wfapi", "describe"))
        except GoneError:
            yield CheckedPermission("Stages", works=False, remedy=STAGES_REMEDY)
        except PermanentError as problem:
            yield CheckedPermission("Stages", works=False, remedy=problem.sentences)
        else:
            yield CheckedPermission("Stages", works=True)
    waits = any("queuingDurationMillis" in action for _, build in sample for action in actions_of(build))
    yield CheckedPermission("Time in the queue", works=waits, remedy="" if waits else QUEUE_REMEDY)


def _repositories(sample: Sequence[tuple[Head, Json]], libraries: Sequence[str]) -> CheckedPermission:
    """The repositories of builds, with examples.

    Repositories that builds of branches check out besides their own are libraries: if another build is attributed to
    one of them, the form has to name it.
    """
    examples: dict[str, str] = {}
    beside: set[str] = set()
    for head, build in sample:
        repository = source_of(build, branch=shown(head.branch), page=head.page, libraries=libraries).repository
        if repository:
            examples.setdefault(repository, f"{shown(head.name)} #{number_of(build)} is of {repository}")
            beside |= set(repositories_of(build)) - {repository} if head.branch else set()
    what = f"Repositories of builds: {', '.join(list(examples.values())[:EXAMPLES])}"
    if mistaken := sorted(beside & examples.keys()):
        pattern = f"*/{mistaken[0].rpartition('/')[2]}"
        remedy = f"Branch builds check out {mistaken[0]} as well as their own: name it under libraries, as {pattern}."
        return CheckedPermission(what, works=False, remedy=remedy)
    if not examples:
        remedy = "No build names its repository, because none is checked out. Set it in a rule: repository=…."
        return CheckedPermission("Repositories of builds", works=False, remedy=remedy)
    return CheckedPermission(what, works=True)


def _deployments(sample: Sequence[tuple[Head, Json]], rules: Rules) -> Iterator[CheckedPermission]:
    """The results of each rule on the newest builds; without rules, parameters that look like environments."""
    for rule in rules.rules:
        matching = [(head, build) for head, build in sample if rule.matches(shown(head.name))]
        values = [(head, build, rule.deployment(parameters_of(build))) for head, build in matching]
        examples = [
            f"{shown(head.name)} #{number_of(build)}: {_words(deploys)}" for head, build, deploys in values if deploys
        ]
        if examples:
            yield CheckedPermission(f"Rule “{rule.text}”: {'; '.join(examples[:EXAMPLES])}", works=True)
            continue
        given = sorted({name for _, build in matching for name in parameters_of(build)})
        remedy = (
            f"None of its newest builds names an environment. Their parameters: {', '.join(given) or 'none'}."
            if matching
            else "No job that was looked at has this name."
        )
        yield CheckedPermission(f"Rule “{rule.text}”", works=False, remedy=remedy)
    proposals = {
        shown(head.name): _proposal(head, parameters_of(build))
        for head, build in sample
        if deployment_by(rules.of(shown(head.name)), parameters_of(build)) is None
    }
    for proposal in islice(filter(None, proposals.values()), EXAMPLES):
        yield CheckedPermission(proposal, works=True)


def _proposal(head: Head, parameters: Mapping[str, str]) -> str:
    name = next((name for name in parameters if name.casefold() in ENVIRONMENTS and parameters[name]), "")
    if not name:
        return ""
    job = shown(head.name)
    return f"Without a rule: {job} has {name}={parameters[name]}. A rule for it: {job}: environment={{{name}}}"


def _words(values: Json | None) -> str:
    given: Mapping[str, Any] = values or {}
    return ", ".join(f"{name} {value}" for name, value in given.items() if value)
