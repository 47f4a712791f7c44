"""Builds of a list as records: with their stages, the build that they repeat, and the values by a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.connectors.base import FetchedResource, Http, Json, RawRecord
from integrations.connectors.deployment_rules import Rule, Rules, deployment_by, read_rules
from integrations.connectors.errors import GoneError
from integrations.connectors.jenkins.builds import is_pipeline, is_running, normalise_build
from integrations.connectors.jenkins.causes import parameters_of, repeated_by
from integrations.connectors.jenkins.jobs import Head, number_of, path_of, place_of, shown
from integrations.connectors.jenkins.sources import KNOWN_PARAMETERS
from integrations.connectors.unchecked import as_record, object_of, objects_of

SOURCE = "build"
STAGES_WITHIN = timedelta(days=90)  # older builds' stages cost a request each: read only if a rule names stages
MOST_REPEATS = 20  # in a chain of builds that repeat each other
TOO_MANY_WITHOUT = 2  # builds without stages, after which the job's other builds are not checked
_CAUSES = "number,actions[_class,causes[_class,shortDescription,upstreamProject,upstreamBuild]]"


@dataclass(slots=True)
class BuildRecords:
    """Makes records of builds; `undo` are former rules: deployments that only these recognised are withdrawn."""

    http: Http
    resource: FetchedResource
    rules: Rules
    undo: str
    libraries: Sequence[str]
    now: datetime
    _without_stages: dict[str, int] = field(default_factory=dict)

    def of(self, head: Head, builds: Sequence[Any], *, is_front: bool) -> list[RawRecord]:
        """The records of these builds; `is_front`: they are among the newest of their job."""
        job = shown(head.name)
        rules, undone = self.rules.of(job), read_rules(self.undo).of(job)
        stages = self._stages(head, [build for build in builds if self._has_stages(build, [*rules, *undone])], is_front)
        listed = {number_of(build): build for build in objects_of(list(builds))}
        return [self._record(head, build, rules=rules, undone=undone, stages=stages, listed=listed) for build in builds]

    def _record(
        self,
        head: Head,
        build: Any,
        *,
        rules: Sequence[Rule],
        undone: Sequence[Rule],
        stages: Mapping[int, list[Any]],
        listed: Mapping[int, Json],
    ) -> RawRecord:
        record = as_record(build)
        pipeline = shown(self.resource.external_id if head.branch else head.name)
        payload: Json = {
            "build": _trimmed(record, {name for rule in rules for name in rule.parameters}),
            "job": {"name": pipeline, "branch": shown(head.branch), "page": head.page, "path": head.name},
            "libraries": list(self.libraries),
        }
        if number_of(record) in stages:
            payload["stages"] = stages[number_of(record)]
        if (original := self._original(head, record, listed)) is not None:
            payload["original"] = original
        for name, of_job in (("deploys", rules), ("withdrawn", undone)):
            if (values := deployment_by(of_job, parameters_of(record))) is not None:
                payload[name] = values
        # A build without a recognisable id is quarantined by whatever identifies it.
        return RawRecord(payload, normalise_build, f"{pipeline} {head.branch} #{number_of(record)}", SOURCE)

    # Stages -----------------------------------------------------------------------------------------------------

    def _has_stages(self, build: Any, rules: Sequence[Rule]) -> bool:
        if not isinstance(build, dict) or not is_pipeline(build) or is_running(build):
            return False
        _, began = place_of(build)
        is_young = self.now - datetime.fromtimestamp(min(began, 4 * 10**12) / 1000, UTC) < STAGES_WITHIN
        return is_young or any(rule.stage for rule in rules)

    def _stages(self, head: Head, builds: Sequence[Json], is_front: bool) -> dict[int, list[Any]]:
        """Stages by the build's number.  The newest ten come in one answer, others each in its own."""
        found: dict[int, list[Any]] = {}
        if is_front and len(builds) > 1:
            found = self._newest_stages(head)
        for build in builds:
            number = number_of(build)
            if number in found or self._without_stages.get(head.name, 0) >= TOO_MANY_WITHOUT:
                continue
            try:
                described = self.http.get(path_of(head.name, number, "wfapi", "describe")).json()
            except GoneError:  # the build is gone, or the plugin is not installed
                self._without_stages[head.name] = self._without_stages.get(head.name, 0) + 1
                continue
            self._without_stages[head.name] = 0
            found[number] = _stages_in(described)
        return {number_of(build): found[number_of(build)] for build in builds if number_of(build) in found}

    def _newest_stages(self, head: Head) -> dict[int, list[Any]]:
        try:
            runs = self.http.get(path_of(head.name, "wfapi", "runs")).json()
        except GoneError:
            self._without_stages[head.name] = TOO_MANY_WITHOUT
            return {}
        return {int(id_): _stages_in(run) for run in objects_of(runs) if (id_ := str(run.get("id"))).isdecimal()}

    # Repeats ----------------------------------------------------------------------------------------------------

    def _original(self, head: Head, build: Json, listed: Mapping[int, Json]) -> int | None:
        """The first build of a chain of repeats, as far as they still exist; None: it repeats none."""
        original, known = None, repeated_by(build, head.name)
        for _ in range(MOST_REPEATS):
            if known is None or known >= (original or number_of(build)):
                break
            original = known
            known = self._repeated_by(head, original, listed)
        return original

    def _repeated_by(self, head: Head, number: int, listed: Mapping[int, Json]) -> int | None:
        if (build := listed.get(number)) is not None:
            return repeated_by(build, head.name)
        try:
            answer = self.http.get(path_of(head.name, number, "api", "json"), params={"tree": _CAUSES}).json()
        except GoneError:
            return None
        return repeated_by(as_record(answer), head.name)


def _trimmed(build: Json, parameters: set[str]) -> Json:
    """The build without values of parameters that nothing reads: they may be secrets."""
    wanted, actions = parameters.union(KNOWN_PARAMETERS), build.get("actions")
    if not isinstance(actions, list):
        return build
    kept = []
    for action in actions:
        listed = object_of(action).get("parameters")
        if isinstance(listed, list):
            of_use = [parameter for parameter in objects_of(listed) if parameter.get("name") in wanted]
            kept.append({**action, "parameters": of_use})
        elif action:
            kept.append(action)
    return {**build, "actions": kept}


def _stages_in(run: Any) -> list[Any]:
    stages = object_of(run).get("stages")
    fields = ("id", "name", "status", "startTimeMillis", "durationMillis")
    listed = stages if isinstance(stages, list) else []
    return [{name: stage.get(name) for name in fields} if isinstance(stage, dict) else stage for stage in listed]
