"""Executions of pipelines: a run with its stages, and a deployment of each service that a stage brings somewhere.

https://apidocs.harness.io/tag/Pipeline-Execution-Details; the fields of executions and of their stages by
https://developer.harness.io/api-reference/software-delivery-agent-apis/pipelines and recorded answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from integrations.connectors.base import Json
from integrations.connectors.drafts import (
    MISSING,
    AnyDraft,
    JobDraft,
    PipelineRunDraft,
    ProvidedParts,
    Who,
    shown_title,
)
from integrations.connectors.harness.deployments import deployments_of
from integrations.connectors.harness.statuses import NOT_STARTED, STATUSES
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import fields_of, object_of, objects_of, text_of
from integrations.enums import RunStatus

SOURCE = "execution"
_FIELDS = (
    *("planExecutionId", "pipelineIdentifier", "name", "status", "startTs", "endTs", "createdAt", "runSequence"),
    *("executionMode", "tags", "retryExecutionMetadata", "parentStageInfo"),
)
_OF_STAGE = ("nodeType", "nodeGroup", "nodeIdentifier", "name", "status", "startTs", "endTs", "isRollbackStageNode")
_OF_STAGES = "STAGE"  # other groups of nodes hold stages: those that run together, and those that a matrix repeats
_BY_A_MACHINE = frozenset({"SCHEDULER_CRON", "ARTIFACT", "MANIFEST"})
_SYSTEM = "systemUser"  # the account of whatever a trigger starts
_CHANGES = ("/-/commit/", "/-/merge_requests/", "/commit/", "/commits/", "/pull/", "/pull-requests/", "/pullrequest/")


def normalise_execution(payload: Json) -> list[AnyDraft]:
    """`execution` as `stored_execution` leaves it, with its `project`, and of its stages the values by an admin's rules
    (`deploys`) and the types of environments (`types`).
    """
    reader = Reader(payload)
    execution = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    id_, native = execution.identifier("planExecutionId"), execution.text("status", default="")
    status = STATUSES.get(native, RunStatus.OTHER)
    has_ended = status not in (RunStatus.QUEUED, RunStatus.RUNNING)
    created_at, triggered_at = execution.part_instant("createdAt"), execution.part_instant("startTs")
    ended_at = execution.part_instant("endTs") if has_ended else None
    stages = execution.parts("stages", _stage) or []
    began = min((job.started_at for job in stages if job.started_at), default=None)
    changes = [at for job in stages for at in (job.started_at, job.finished_at) if at]
    root = execution.identifier("retryExecutionMetadata.rootExecutionId", default="") or id_
    sequence = execution.integer("runSequence", default=1)
    has_parent = execution.boolean("parentStageInfo.hasparentpipeline", default=False)
    page, pipeline = reader.text("project.page", default=""), execution.text("pipelineIdentifier", default="")
    run = PipelineRunDraft(
        external_id=id_,
        updated_at=ended_at or max([at for at in (*changes, triggered_at, created_at) if at], default=None),
        repository=_repository(execution),
        run=root,
        parent=execution.identifier("parentStageInfo.executionid", default="") if has_parent else "",
        name=shown_title(execution.text("name", default="") or pipeline),
        attempt=1 if root == id_ else max(sequence, 2),  # a retry is another execution, and later ones are higher
        status=status,
        native_status=native,
        url=f"{page}/pipelines/{pipeline}/executions/{id_}/pipeline" if page and pipeline else MISSING,
        trigger=_trigger(execution),
        sha=execution.text("build.commit", default="").lower(),
        branch=execution.text("build.branch", default=""),
        started_by=_person(execution),
        queued_at=triggered_at or created_at,
        started_at=began or (triggered_at if has_ended else None),
        finished_at=ended_at,
        jobs=ProvidedParts([replace(job, queued_at=triggered_at or job.queued_at) for job in stages[:1]] + stages[1:]),
    )
    deployments = deployments_of(payload, execution, run)
    if not run.repository and (placed := next((one for one in deployments if one.repository), None)) is not None:
        run = replace(run, repository=placed.repository, sha=run.sha or placed.sha)
    left_out = tuple(reader.left_out)
    return [replace(run, left_out=left_out), *(replace(one, left_out=left_out) for one in deployments)]


def stored_execution(item: Any) -> Any:
    """The fields of an execution that are read: no messages of commits or failures, and its stages as a list."""
    if not isinstance(item, dict):
        return item
    trigger, nodes = object_of(item, "executionTriggerInfo"), item.get("layoutNodeMap")
    by = object_of(trigger, "triggeredBy")
    stored: Json = {
        **fields_of(item, _FIELDS),
        "trigger": {
            "type": trigger.get("triggerType"),
            "by": {**fields_of(by, ("uuid", "identifier")), "email": object_of(by, "extraInfo").get("email")},
        },
        "build": _stored_build(object_of(item, "moduleInfo", "ci")),
    }
    if isinstance(nodes, dict):
        stages = [
            {**fields_of(node, _OF_STAGE), "id": id_, "deploys": _stored_deployment(node)}
            for id_, node in nodes.items()
            if isinstance(node, dict) and node.get("nodeGroup", _OF_STAGES) == _OF_STAGES
        ]
        stored["stages"] = sorted(stages, key=lambda stage: (_number(stage.get("startTs")), stage["id"]))
    elif nodes is not None:
        stored["stages"] = nodes
    return stored


def _stored_build(build: Json) -> Json:
    """The code that was built: commit, branch, repository and addresses."""
    info = object_of(build, "ciExecutionInfoDTO")
    of = object_of(info, "pullRequest") or object_of(info, "branch")
    commit = next(iter(objects_of(of.get("commits"))), {})
    scm = next(iter(objects_of(build.get("scmDetailsList"))), {})
    stage = object_of(build, "ciPipelineStageModuleInfo")
    return {
        "branch": of.get("sourceBranch") or build.get("branch"),
        "event": info.get("event"),
        "type": build.get("buildType"),
        "repository": build.get("repoName"),
        "commit": stage.get("commitId") or commit.get("id"),
        "links": [link for link in (commit.get("link"), of.get("link")) if link],
        "addresses": [address for address in (stage.get("repoUrl"), scm.get("scmUrl")) if address],
    }


def _stored_deployment(node: Json) -> Json | None:
    """The service, artefact and environments of a deploying stage; None for any other."""
    deploys = object_of(node, "moduleInfo", "cd")
    if not deploys:
        return None
    service, artifacts = object_of(deploys, "serviceInfo"), object_of(deploys, "serviceInfo", "artifacts")
    return {
        "service": fields_of(service, ("identifier", "displayName")),
        "artifact": {
            **fields_of(object_of(artifacts, "primary"), ("imagePath", "image", "tag", "version")),
            **fields_of(artifacts, ("artifactDisplayName",)),
        },
        "environment": fields_of(object_of(deploys, "infraExecutionSummary"), ("identifier", "name", "type")),
        "environments": [
            fields_of(one, ("identifier", "name", "type"))
            for one in objects_of(object_of(deploys, "gitOpsExecutionSummary").get("environments"))
        ],
    }


def _number(value: Any) -> int:
    """A time by which stages are sorted: stages that have not begun come last."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 2**62


def _stage(stage: Reader) -> JobDraft | None:
    """A stage that has begun or will begin; None for the pattern of a matrix that repeats a stage, which never does."""
    native = stage.text("status", default="")
    started_at = stage.part_instant("startTs")
    if native in NOT_STARTED and started_at is None:
        return None
    status = STATUSES.get(native, RunStatus.OTHER)
    has_ended = status not in (RunStatus.QUEUED, RunStatus.RUNNING)
    return JobDraft(
        external_id=stage.identifier("id"),
        name=shown_title(stage.text("name", default="") or stage.text("nodeIdentifier", default="")),
        status=status,
        native_status=native,
        queued_at=started_at,
        started_at=started_at,
        finished_at=stage.part_instant("endTs") if has_ended else None,
    )


def _repository(execution: Reader) -> str:
    """The repository that was built: by the address of a commit or of the repository, or else by its name.

    A connector of a whole account only gives the address of the host.
    """
    for link in _texts(execution, "build.links"):
        for change in _CHANGES:
            before, found, _ = link.partition(change)
            if found and _names_repository(before):
                return before
    for address in _texts(execution, "build.addresses"):
        if _names_repository(address):
            return address.rstrip("/").removesuffix(".git")
    return execution.text("build.repository", default="")


def _names_repository(address: str) -> bool:
    try:
        return len([part for part in urlsplit(address).path.split("/") if part]) > 1
    except ValueError:
        return False


def _texts(execution: Reader, path: str) -> Sequence[str]:
    found = execution.texts(path)
    return found if isinstance(found, tuple) else ()


def _trigger(execution: Reader) -> str:
    """Harness' own term, and for a build the event at the code host."""
    native = execution.text("trigger.type", default="")
    event, kind = (execution.text(f"build.{name}", default="") for name in ("event", "type"))
    if event == "pullRequest" or kind.upper() in ("PR", "PULL_REQUEST"):
        return "pull_request"
    return _TRIGGERS.get(native, native.lower()) if native != "WEBHOOK" or event != "branch" else "push"


_TRIGGERS: Mapping[str, str] = {"SCHEDULER_CRON": "schedule", "NOOP": ""}


def _person(execution: Reader) -> Who | None:
    """The person who started it; None for a schedule or an artefact that arrived."""
    kind, email = execution.text("trigger.type", default=""), execution.text("trigger.by.email", default="")
    account = execution.text("trigger.by.uuid", default="")
    name = execution.text("trigger.by.identifier", default="")
    account = "" if account == _SYSTEM else account
    if kind in _BY_A_MACHINE or not (email or account):
        return None
    return Who(account=account, email=email, name=name)


def started_at_of(item: Any) -> datetime | None:
    """The time at which an execution was triggered, if no normalising function has checked it yet."""
    reader = Reader(fields_of(item, ("startTs", "createdAt")) if isinstance(item, dict) else {})
    return reader.part_instant("startTs") or reader.part_instant("createdAt")


def is_open(item: Any) -> bool:
    """Whether it may still finish."""
    return STATUSES.get(text_of(item, "status"), RunStatus.RUNNING) in (RunStatus.QUEUED, RunStatus.RUNNING)
