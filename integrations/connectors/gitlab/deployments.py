"""Deployments of a project's environments, made by jobs or reported by somebody.

The kind of an environment is its tier, which lists of deployments lack.
https://docs.gitlab.com/api/deployments/, https://docs.gitlab.com/api/environments/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.drafts import MISSING, DeploymentDraft
from integrations.connectors.errors import PermanentError
from integrations.connectors.gitlab.changes import changes_in
from integrations.connectors.gitlab.lists import PER_PAGE, list_all
from integrations.connectors.gitlab.pipelines import STATUSES
from integrations.connectors.gitlab.records import Place, account
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import object_of, record_of, text_of
from integrations.enums import RunStatus

SOURCE = "deployment"
_STATUSES: Mapping[str, RunStatus] = {**STATUSES, "blocked": RunStatus.QUEUED}  # it waits for an approval
_FINISHED = frozenset({RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELLED})
_TIERS = {"production": True, "staging": False, "testing": False, "development": False}


def normalise_deployment(payload: Json) -> list[DeploymentDraft]:
    """`deployment` from a list, `project` (its id and page), and the `tier` of its environment, if known.

    A deployment reported through the API has no job: the time of its last change is then its end.
    """
    reader = Reader(payload)
    deployment = Reader(payload.get("deployment"), "deployment", parent=reader)
    native = deployment.text("status", default="")
    status, updated_at = _STATUSES.get(native, RunStatus.OTHER), deployment.part_time("updated_at")
    job = deployment.object("deployable")
    page = reader.text("project.web_url", default="")
    ended_at = (job.part_time("finished_at") if job else None) or updated_at
    return [
        DeploymentDraft(
            external_id=deployment.identifier("id"),
            updated_at=updated_at,
            repository=reader.identifier("project.id"),
            native_environment=deployment.text("environment.name"),
            is_production=_TIERS.get(reader.text("tier", default="")),
            is_transient=None,
            status=status,
            native_status=native,
            sha=deployment.text("sha", default=MISSING),
            ref=deployment.text("ref", default=MISSING),
            url=f"{page}/-/environments" if page else MISSING,
            deployed_by=account(deployment.object("user")),
            created_at=deployment.part_time("created_at"),
            started_at=job.part_time("started_at") if job else None,
            finished_at=ended_at if status in _FINISHED else None,
            run=job.identifier("pipeline.id", default="") if job else "",
            job=job.identifier("id", default="") if job else "",
            unplanned=None,
            left_out=tuple(reader.left_out),
        )
    ]


def fetch_deployments(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read deployments; environments only if there are new ones."""

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        tiers = _tiers(http, place) if entries else {}
        return [
            record_of(
                SOURCE,
                normalise_deployment,
                _without_commit(entry),
                project=place.project,
                tier=tiers.get(text_of(object_of(entry, "environment"), "id")),
            )
            for entry in entries
        ]

    changes = changes_in(place.path("deployments"), read=read, batch=PER_PAGE)
    yield from changes.pages(http, cursor, now=now)


def _tiers(http: Http, place: Place) -> Mapping[str, str]:
    """Environment → tier; empty if the token may not read them, and names decide."""
    try:
        environments = list(list_all(http, place.path("environments")))
    except PermanentError:
        return {}
    return {text_of(environment, "id"): text_of(environment, "tier") for environment in environments}


def _without_commit(entry: Json) -> Json:
    """The deployment without its job's commit and user, who are no part of it."""
    if not isinstance(entry.get("deployable"), dict):
        return entry
    stored = ("id", "name", "status", "started_at", "finished_at", "pipeline")
    return {**entry, "deployable": {name: entry["deployable"].get(name) for name in stored}}
