"""Builds as pipeline runs, and as deployments if a rule says so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from integrations.connectors.addresses import run_in
from integrations.connectors.base import Json
from integrations.connectors.deployment_rules import in_stage, is_unplanned
from integrations.connectors.drafts import (
    MISSING,
    AnyDraft,
    DeploymentDraft,
    JobDraft,
    Missing,
    PipelineRunDraft,
    ProvidedParts,
    shown_title,
)
from integrations.connectors.jenkins.causes import actions_of, parent_of, started_by, trigger_of
from integrations.connectors.jenkins.sources import source_of
from integrations.connectors.reader import LONGEST_ID, MILLISECOND, Reader
from integrations.connectors.unchecked import text_of
from integrations.enums import RunStatus

# The `tree` parameter of each build; actions of all kinds share one list.
TREE = (
    "_class,number,queueId,timestamp,duration,building,inProgress,result,url,"
    "actions[_class,parameters[name,value],"
    "causes[_class,shortDescription,userId,userName,upstreamProject,upstreamBuild],"
    "queuingDurationMillis,lastBuiltRevision[SHA1,branch[name]],remoteUrls,revision[hash,pullHash,mergeHash]],"
    "runs[number,url,timestamp,duration,building,result]"
)
RUNNING = "BUILDING"
_RESULTS: Mapping[str, RunStatus] = {
    "SUCCESS": RunStatus.SUCCESS,
    "UNSTABLE": RunStatus.FAILURE,  # it completed, but its tests failed
    "FAILURE": RunStatus.FAILURE,
    "ABORTED": RunStatus.CANCELLED,
    "NOT_BUILT": RunStatus.SKIPPED,
}
_STAGES: Mapping[str, RunStatus] = {
    "SUCCESS": RunStatus.SUCCESS,
    "UNSTABLE": RunStatus.FAILURE,
    "FAILED": RunStatus.FAILURE,
    "ABORTED": RunStatus.CANCELLED,
    "NOT_EXECUTED": RunStatus.SKIPPED,
    "SKIPPED": RunStatus.SKIPPED,
    "IN_PROGRESS": RunStatus.RUNNING,
    "PAUSED_PENDING_INPUT": RunStatus.RUNNING,
}
# Jenkins does not stop an unstable build: its steps ran to the end, so that a rollout reached users.
UNSTABLE = "UNSTABLE"
_UNFINISHED = (RunStatus.RUNNING, RunStatus.SKIPPED)


def normalise_build(payload: Json) -> list[AnyDraft]:
    """`build` from the list (TREE), and `job`: its pipeline's `name`, `branch` and `page`, and its `path`.

    The stream adds `stages`, `original` (the number of the build that this one repeats), `deploys` (the values by a
    rule), `withdrawn` (the values by a former rule), and `libraries`.
    """
    reader = Reader(payload)
    build, job = (Reader(payload.get(name), name, parent=reader) for name in ("build", "job"))
    stages = reader.parts("stages", _stage)
    source = source_of(
        payload["build"],
        branch=job.text("branch", default=""),
        page=job.text("page", default=""),
        libraries=payload.get("libraries") or (),
    )
    id_, url = build_id(payload["build"], job.text("path")), build.text("url", default="")
    number = build.integer("number")
    original = reader.integer("original", default=number)
    parent = run_in(parent_of(payload["build"], url.partition("job/")[0])).run
    named = run_in(f"{url.rstrip('/').removesuffix(f'/{number}')}/{original}/").run
    running, native_status = is_running(payload["build"]), build.text("result", default="")
    started_at, duration = build.instant("timestamp"), build.duration("duration")
    finished_at = None if running or duration is None else started_at + duration
    _note_odd_fields(build)
    queued_at = _queued_at(payload["build"], started_at)
    run = PipelineRunDraft(
        external_id=id_,
        updated_at=finished_at or started_at,
        repository=source.repository,
        run=named if named and len(named) < LONGEST_ID else id_,
        parent=parent,
        attempt=number - original + 1,  # so that later ones are higher
        name=_name(job, payload.get("deploys")),
        status=RunStatus.RUNNING if running else _RESULTS.get(native_status, RunStatus.OTHER),
        native_status=RUNNING if running else native_status,
        url=url,
        trigger="pull_request" if source.is_pull_request else trigger_of(payload["build"]),
        sha=source.sha,
        branch=source.branch,
        started_by=started_by(payload["build"]),
        queued_at=queued_at,
        started_at=started_at,
        finished_at=finished_at,
        jobs=_jobs(build, stages, queued_at),
        left_out=tuple(reader.left_out),
    )
    return [run] if source.is_pull_request else [run, *_deployments(payload, run, stages or ())]


def _note_odd_fields(build: Reader) -> None:
    """Note which of the build's actions are left out: actions come from many plugins, and only the expected ones
    are read.
    """
    build.identifier("queueId", default="")
    for action in build.objects("actions"):
        action.text("_class", default="")
        for cause in action.objects("causes"):
            for name in ("userId", "userName"):
                if not isinstance(cause.value(name), int):
                    cause.text(name, default="")


def build_id(build: Json, full_name: str) -> str:
    """The build's id, which survives renaming or moving the job, and differs if its numbers begin again.

    Items of the queue are numbered once for a controller; imported builds have none.
    """
    queued, began, number = (text_of(build, name) for name in ("queueId", "timestamp", "number"))
    if queued.isdecimal() and int(queued) > 0:
        return f"{queued}-{began}"
    named = hashlib.sha1(full_name.encode(), usedforsecurity=False).hexdigest()[:12]
    return f"{named}-{number}-{began}"


def is_running(build: Any) -> bool:
    """Whether the result may still change; a stopped controller leaves builds without a result that no longer run."""
    return isinstance(build, dict) and (build.get("building") is True or build.get("inProgress") is True)


def is_pipeline(build: Json) -> bool:
    return text_of(build, "_class").endswith("WorkflowRun")


def _queued_at(build: Json, started_at: datetime) -> datetime | None:
    """The time at which it was queued, if known: the Metrics plugin adds the waiting time."""
    waits = (action.get("queuingDurationMillis") for action in actions_of(build))
    known = (wait for wait in waits if isinstance(wait, int) and not isinstance(wait, bool) and 0 <= wait < 10**11)
    return next((started_at - wait * MILLISECOND for wait in known), None)


def _name(job: Reader, deploys: Any) -> str:
    """The name of the pipeline, with the environment if its builds deploy to several."""
    name = job.text("name")
    environment = text_of(deploys, "environment")
    if not environment or text_of(deploys, "stage") or environment.casefold() in name.casefold():
        return shown_title(name)
    return shown_title(f"{name} → {environment}")


def _jobs(
    build: Reader, stages: list[JobDraft] | None, queued_at: datetime | None
) -> ProvidedParts[JobDraft] | Missing:
    """Stages of a pipeline, configurations of a matrix; none of other builds.

    A build waits before its first stage, so that stage gets the wait.
    """
    if stages is not None:
        return ProvidedParts([replace(stage, queued_at=queued_at) for stage in stages[:1]] + stages[1:])
    if is_pipeline({"_class": build.text("_class", default="")}):
        return MISSING
    number = build.integer("number")

    def own_configuration(run: Reader) -> JobDraft | None:
        """The configuration's run in this build; one that was not built again is shown with its last build, of another
        number.
        """
        return _configuration(run) if run.integer("number", default=None) == number else None

    return ProvidedParts(build.parts("runs", own_configuration) or ())


def _stage(stage: Reader) -> JobDraft:
    native_status = stage.text("status", default="")
    status = _STAGES.get(native_status, RunStatus.OTHER)
    started_at = None if status == RunStatus.SKIPPED else stage.part_instant("startTimeMillis")
    duration = stage.duration("durationMillis")
    ended = status not in _UNFINISHED and started_at is not None and duration is not None
    return JobDraft(
        external_id=stage.identifier("id"),
        name=shown_title(stage.text("name", default="")),
        status=status,
        native_status=native_status,
        started_at=started_at,
        finished_at=started_at + duration if ended and started_at and duration is not None else None,
    )


def _configuration(run: Reader) -> JobDraft:
    """The configuration that a URL names: …/job/shop/JDK=21,OS=linux/12/ is JDK=21,OS=linux."""
    name = unquote(run.text("url").rstrip("/").split("/")[-2:][0])
    running = run.boolean("building", default=False)
    native_status = RUNNING if running else run.text("result", default="")
    started_at, duration = run.part_instant("timestamp"), run.duration("duration")
    return JobDraft(
        external_id=name[:LONGEST_ID],
        name=shown_title(name),
        status=RunStatus.RUNNING if running else _RESULTS.get(native_status, RunStatus.OTHER),
        native_status=native_status,
        started_at=started_at,
        finished_at=None if running or started_at is None or duration is None else started_at + duration,
    )


def _deployments(payload: Json, run: PipelineRunDraft, stages: Sequence[JobDraft]) -> Iterator[DeploymentDraft]:
    """The build itself, or each of its stages that the rule names; and deployments that only former rules
    recognised.
    """
    drafts = list(_deployed(payload.get("deploys"), run, stages))
    yield from drafts
    for draft in _deployed(payload.get("withdrawn"), run, stages):
        if draft.external_id not in {one.external_id for one in drafts}:
            yield DeploymentDraft(external_id=draft.external_id, repository=draft.repository, deleted=True)


def _deployed(deploys: Any, run: PipelineRunDraft, stages: Sequence[JobDraft]) -> Iterator[DeploymentDraft]:
    if not isinstance(deploys, dict):
        return
    pattern = text_of(deploys, "stage")
    if not pattern:
        yield _deployment(deploys, run)
        return
    for stage in stages:
        if fnmatchcase(stage.name.casefold(), pattern.casefold()) and stage.status != RunStatus.SKIPPED:
            yield _stage_deployment(_deployment(in_stage(deploys, stage.name), run), stage)


def _deployment(values: Json, run: PipelineRunDraft) -> DeploymentDraft:
    return DeploymentDraft(
        external_id=run.external_id,
        updated_at=run.updated_at,
        repository=text_of(values, "repository") or run.repository,
        native_environment=text_of(values, "environment"),
        service=text_of(values, "service"),
        status=_rolled_out(run.status, run.native_status),
        native_status=run.native_status,
        sha=text_of(values, "sha").lower() or run.sha,
        ref=run.branch,
        url=run.url,
        deployed_by=run.started_by,
        created_at=run.queued_at or run.started_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        unplanned=is_unplanned(text_of(values, "unplanned")),
        run=run.run,
        parent=run.parent,
        job="",
    )


def _rolled_out(status: RunStatus | Missing, native_status: str | Missing) -> RunStatus | Missing:
    """The status of a deployment, which an unstable run completed."""
    return RunStatus.SUCCESS if native_status == UNSTABLE else status


def _stage_deployment(build: DeploymentDraft, stage: JobDraft) -> DeploymentDraft:
    return replace(
        build,
        external_id=f"{build.external_id}/{stage.external_id}"[:LONGEST_ID],
        updated_at=stage.finished_at or stage.started_at,
        status=_rolled_out(stage.status, stage.native_status),
        native_status=stage.native_status,
        created_at=stage.started_at,
        started_at=stage.started_at,
        finished_at=stage.finished_at,
        job=stage.external_id,
    )
