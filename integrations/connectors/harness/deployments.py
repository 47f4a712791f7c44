"""Deployments by the stages of an execution, one for each service and environment, as Harness counts them.

A stage that its failure strategy rolled back is a failed deployment, as is a stage that the pipeline rolled back
together with all others.  A rollback after the pipeline's end is a separate execution, for which Harness does not say
what it rolled back: its commit is unknown.
https://developer.harness.io/docs/continuous-delivery/manage-deployments/rollback-deployments,
/docs/continuous-delivery/monitor-deployments/dora-metrics-dashboard
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from integrations.connectors.base import Json
from integrations.connectors.deployment_rules import Rules, deployment_by, in_stage, is_unplanned
from integrations.connectors.drafts import MISSING, DeploymentDraft, PipelineRunDraft
from integrations.connectors.harness.statuses import STATUSES
from integrations.connectors.reader import LONGEST_ID, Reader
from integrations.connectors.unchecked import object_of, objects_of, text_of
from integrations.enums import RunStatus

ROLLBACK_MODE = "POST_EXECUTION_ROLLBACK"
REVERTS = ("revert_execution_id", "reverted_execution_id")  # tags of a pipeline that restores what another one broke
_PIPELINE_ROLLBACK = "PipelineRollback"  # the type of the stage that rolls back the others' deployments
_PRODUCTION = {"Production": True, "PreProduction": False}


def deployments_of(payload: Json, execution: Reader, run: PipelineRunDraft) -> list[DeploymentDraft]:
    """The deployments of an execution; the first of a service and an environment is named by these alone."""
    drafts: dict[str, DeploymentDraft] = {}
    stages = list(execution.objects("stages"))
    for stage in stages:
        for draft in _deployed(payload, execution, run, stage):
            id_ = draft.external_id if draft.external_id not in drafts else _id(draft.external_id, str(draft.job))
            drafts[id_] = replace(draft, external_id=id_)
    if not any(_has_taken_back(stage) for stage in stages):
        return list(drafts.values())
    return [
        replace(draft, status=RunStatus.FAILURE, native_status=f"{draft.native_status}, rolled back")
        if draft.status is RunStatus.SUCCESS
        else draft
        for draft in drafts.values()
    ]


def _has_taken_back(stage: Reader) -> bool:
    is_rollback = stage.text("nodeType", default="") == _PIPELINE_ROLLBACK
    return is_rollback and STATUSES.get(stage.text("status", default="")) is RunStatus.SUCCESS


def _deployed(payload: Json, execution: Reader, run: PipelineRunDraft, stage: Reader) -> Iterator[DeploymentDraft]:
    """The deployments of a stage; none before it begins, if it was skipped, or if it failed before its environment was
    known.
    """
    native, started_at = stage.text("status", default=""), stage.part_instant("startTs")
    status, id_ = STATUSES.get(native, RunStatus.OTHER), stage.identifier("id", default="")
    if started_at is None or not id_ or status in (RunStatus.SKIPPED, RunStatus.QUEUED):
        return
    if stage.boolean("isRollbackStageNode", default=False):
        return
    service, tag = stage.text("deploys.service.identifier", default=""), _tag(stage)
    is_rollback = execution.text("executionMode", default="") == ROLLBACK_MODE
    reverted = "" if is_rollback else _reverted(execution)
    finished_at = None if status is RunStatus.RUNNING else stage.part_instant("endTs")
    of_cluster = [one for one in (stage.object("deploys.environment"),) if one and one.has("identifier")]
    for environment in of_cluster or stage.objects("deploys.environments"):
        place = environment.text("identifier", default="")
        if not place:
            continue
        kind = environment.text("type", default="") or text_of(payload.get("types"), place)
        draft = DeploymentDraft(
            external_id=_id(run.external_id, service, place),
            updated_at=finished_at or started_at,
            repository=run.repository,
            native_environment=environment.text("name", default="") or place,
            is_production=_PRODUCTION.get(kind),
            is_transient=None,
            service=stage.text("deploys.service.displayName", default="") or service,
            status=status,
            native_status=native,
            sha="" if is_rollback else str(run.sha or tag.lower()),
            ref=stage.text("deploys.artifact.artifactDisplayName", default="") or tag,
            url=run.url,
            deployed_by=run.started_by,
            created_at=started_at,
            started_at=started_at,
            finished_at=finished_at,
            rollback_of=_id(reverted, service, place) if reverted else MISSING,
            unplanned=True if is_rollback or reverted else None,
            run=run.run,
            parent=run.parent,
            job=id_,
        )
        yield _by_rule(draft, object_of(payload, "deploys", id_), stage.text("name", default=""))


def _by_rule(draft: DeploymentDraft, values: Json, stage: str) -> DeploymentDraft:
    """The deployment with the values that an admin's rule gives; a place of another name says nothing of its kind."""
    pattern = text_of(values, "stage")
    if not values or (pattern and not fnmatchcase(stage.casefold(), pattern.casefold())):
        return draft
    given = {name: text for name, text in in_stage(values, stage).items() if text}
    environment = given.get("environment", draft.native_environment)
    unplanned = is_unplanned(given.get("unplanned", ""))
    return replace(
        draft,
        native_environment=environment,
        is_production=draft.is_production if environment == draft.native_environment else None,
        service=given.get("service", draft.service),
        repository=given.get("repository", draft.repository),
        sha=given["sha"].lower() if given.get("sha") and not draft.unplanned else draft.sha,
        unplanned=draft.unplanned if unplanned is None else unplanned,
    )


def values_of(execution: Json, rules: Rules) -> Mapping[str, Json]:
    """The values by an admin's rules, by the id of the stage."""
    if not rules.rules:
        return {}
    pipeline = text_of(execution, "pipelineIdentifier")
    found = {}
    for stage in objects_of(execution.get("stages")):
        deploys = object_of(stage, "deploys")
        service = text_of(object_of(deploys, "service"), "identifier")
        matching = rules.of(f"{pipeline}/{service}")
        if deploys and (values := deployment_by(matching, parameters_of(execution, stage))) is not None:
            found[text_of(stage, "id")] = values
    return found


def parameters_of(execution: Json, stage: Json) -> dict[str, str]:
    """The values that a rule can name: the execution's tags, and the environment, service and artefact of the stage."""
    deploys = object_of(stage, "deploys")
    artifact, environment = object_of(deploys, "artifact"), object_of(deploys, "environment")
    first = environment or next(iter(objects_of(deploys.get("environments"))), {})
    image = text_of(artifact, "imagePath") or text_of(artifact, "image").rpartition(":")[0]
    return {
        **{text_of(tag, "key"): text_of(tag, "value") for tag in objects_of(execution.get("tags"))},
        "environment": text_of(first, "name") or text_of(first, "identifier"),
        "service": text_of(object_of(deploys, "service"), "identifier"),
        "image": image,
        "tag": text_of(artifact, "tag") or text_of(artifact, "version"),
        "pipeline": text_of(execution, "pipelineIdentifier"),
        "branch": text_of(object_of(execution, "build"), "branch"),
    }


def without_types(stages: Sequence[Json]) -> set[str]:
    """The environments whose stages do not say whether they are production: those that GitOps deploys to."""
    return {
        place
        for stage in stages
        for one in (
            object_of(stage, "deploys", "environment"),
            *objects_of(object_of(stage, "deploys").get("environments")),
        )
        if (place := text_of(one, "identifier")) and not text_of(one, "type")
    }


def _tag(stage: Reader) -> str:
    return stage.text("deploys.artifact.tag", default="") or stage.text("deploys.artifact.version", default="")


def _reverted(execution: Reader) -> str:
    """The execution whose deployments this one rolls back, by the tag that Harness' own metrics use."""
    for tag in execution.objects("tags"):
        if tag.text("key", default="") in REVERTS and (value := tag.text("value", default="")):
            return value
    return ""


def _id(*parts: str) -> str:
    """The parts joined, or their digest if that would be too long."""
    whole = "/".join(parts)
    if len(whole) <= LONGEST_ID:
        return whole
    return f"{parts[0]}/{hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest()}"[:LONGEST_ID]
