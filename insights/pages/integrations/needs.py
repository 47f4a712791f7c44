"""The inputs of DORA: which are connected, which are missing, and which to connect next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.urls import reverse

from insights.ui import wording
from insights.ui.shortfalls import NAMED, value_mappings_url
from insights.ui.tiles import Link
from integrations.delivery.completeness import Completeness

LONG_AGO = timedelta(days=30)  # a source that is silent for longer is probably broken
MOSTLY = 0.5  # of merged pull requests: with fewer, idea to production covers few


@dataclass(frozen=True)
class NeedLine:
    """An input; `tone` is good, watch or empty (missing)."""

    title: str
    tone: str
    state: str
    detail: str
    link: Link | None = None

    @property
    def is_met(self) -> bool:
        return self.tone == "good"


def need_lines(inputs: Completeness, now: datetime, *, for_admin: bool) -> Sequence[NeedLine]:
    """Missing inputs in the recommended order of connecting them; links only for admins."""
    lines = (
        _source_control(inputs, now),
        _deployments(inputs, now),
        _incidents(inputs, now),
        _work_items(inputs),
        _links(inputs),
    )
    return lines if for_admin else [replace(line, link=None) for line in lines]


def _source_control(inputs: Completeness, now: datetime) -> NeedLine:
    title = "Source control"
    if inputs.last_merge_at is not None:
        return _current(title, "Last merge", inputs.last_merge_at, now)
    if inputs.has_commits:
        detail = "Headway reads commits but no pull requests, which lead time and reviews need."
        return NeedLine(title, "watch", "Commits only", detail, _add("Connect source control"))
    return NeedLine(
        title, "", "Missing", "Pull requests with their reviews and commits.", _add("Connect source control")
    )


def _deployments(inputs: Completeness, now: datetime) -> NeedLine:
    title = "Deployments"
    if inputs.without_production and (inputs.last_production_at or not inputs.has_deployments):
        return _without_production(title, inputs)
    if inputs.last_production_at is not None:
        return _current(title, "Last one", inputs.last_production_at, now)
    if inputs.has_deployments:
        named = f" (seen: {', '.join(inputs.other_environments)})" if inputs.other_environments else ""
        detail = f"Deployments arrive, but none succeeded in production{named}. Map your production environment."
        link = Link("Value mappings", reverse("admin:integrations_connection_changelist"))
        return NeedLine(title, "watch", "None to production", detail, link)
    detail = "Without them, only the time until the merge is known. A pipeline can send them with one line."
    return NeedLine(title, "", "Missing", detail, Link("Push data", "#push-api"))


def _without_production(title: str, inputs: Completeness) -> NeedLine:
    number = len(inputs.without_production)
    names = [one.repository for one in inputs.without_production[:NAMED]]
    names += [f"{number - NAMED} more"] if number > NAMED else []
    verbs = "runs pipelines that deploy and has" if number == 1 else "run pipelines that deploy and have"
    detail = (
        f"{wording.count(number, 'repository', 'repositories')} {verbs} no deployment to production: "
        f"{wording.listed(names)}."
    )
    link = Link("Value mappings", value_mappings_url(inputs.without_production[0]))
    state = "Some to production" if inputs.last_production_at else "None to production"
    return NeedLine(title, "watch", state, detail, link)


def _incidents(inputs: Completeness, now: datetime) -> NeedLine:
    title = "Incidents"
    if inputs.last_incident_at is not None:
        ago = wording.ago(inputs.last_incident_at, now)
        return NeedLine(title, "good", "Connected", f"Last one {ago}.")  # a long time without one is not a defect
    if inputs.has_repairs:
        detail = (
            "Rollbacks and fixes show failures; incidents would also show when users noticed and when service was "
            "restored."
        )
        return NeedLine(title, "watch", "Repairs only", detail, Link("Push data", "#push-api"))
    detail = "Without them, failures are unknown: there is no change failure rate and no recovery time."
    return NeedLine(title, "", "Missing", detail, Link("Push data", "#push-api"))


def _work_items(inputs: Completeness) -> NeedLine:
    if inputs.has_work_items:
        return NeedLine("Issue tracker", "good", "Connected", "Work items are read.")
    detail = "Work items show the purpose of work, and when it was first planned."
    return NeedLine("Issue tracker", "", "Missing", detail, _add("Connect a tracker"))


def _links(inputs: Completeness) -> NeedLine:
    title = "Links"
    if not inputs.merges:
        return NeedLine(title, "", "Missing", "A pull request that names its work item links the two.")
    share = inputs.linked / inputs.merges
    detail = (
        f"{wording.percent_of(inputs.linked, inputs.merges)} of the last "
        f"{wording.count(inputs.merges, 'merged pull request')} name a known work item."
    )
    if share >= MOSTLY:
        return NeedLine(title, "good", "Connected", detail)
    return NeedLine(
        title,
        "watch" if share else "",
        "Few" if share else "Missing",
        f"{detail} Put its key into the branch or the title.",
    )


def _current(title: str, what: str, at: datetime, now: datetime) -> NeedLine:
    """Connected, or quiet if the last record is long ago."""
    detail = f"{what} {wording.ago(at, now)}."
    return (
        NeedLine(title, "watch", "Quiet", detail)
        if now - at > LONG_AGO
        else NeedLine(title, "good", "Connected", detail)
    )


def _add(label: str) -> Link:
    return Link(label, reverse("admin:integrations_connection_add"))
