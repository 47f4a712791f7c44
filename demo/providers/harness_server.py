"""A simulated Harness that shows the runs and deployments of a delivery history as executions of pipelines.

with HarnessServer(history, token="x") as harness:
    connect to harness.url with that token, and the account acme
    harness.advance(to)      # what happened until then is there now

All are in one project.  A run is an execution that builds, and each later attempt a retry of the first; a deployment is
an execution with one stage, which brings an image, tagged with the commit, to an environment.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from demo.plan.delivery import Account, Attempt, DeliveryHistory, Deployment, DeploymentState, Outcome, PipelineRun
from demo.providers.faults import Answer, Fault, Request
from demo.providers.record_states import HistoryAt
from demo.providers.simulated_server import SimulatedServer

GATEWAY, ORGANISATION = "/gateway", "default"
_SUMMARY, _DETAILS = "/pipeline/api/pipelines/execution/summary", "/pipeline/api/pipelines/execution/v2/"
_LATEST = timedelta(days=30)  # what a list without a time range has
OUTCOMES = {
    Outcome.SUCCESS: "Success",
    Outcome.FAILURE: "Failed",
    Outcome.CANCELLED: "Aborted",
    Outcome.SKIPPED: "Skipped",
    Outcome.TIMED_OUT: "Expired",
}
_STATES = {
    DeploymentState.SUCCESS: "Success",
    DeploymentState.FAILURE: "Failed",
    DeploymentState.ERROR: "Errored",
}
_TRIGGERS = {"push": "WEBHOOK", "pull_request": "WEBHOOK", "schedule": "SCHEDULER_CRON"}
Documents = Sequence[Mapping[str, Any]]


class HarnessServer(SimulatedServer):
    """Serves one account with one project, which is called like the history's organisation.

    `at` is the instant that is shown, the history's end where none is given; `page` the most executions of a list;
    `services` names what is deployed of a repository, where a deployment does not; `code_host` is the address of the
    organisation at its code host.
    """

    def __init__(
        self,
        history: DeliveryHistory,
        *,
        token: str,
        account: str = "acme",
        services: Mapping[str, str] = MappingProxyType({}),
        code_host: str = "https://github.com/acme",
        at: datetime | None = None,
        faults: Iterable[Fault] = (),
        page: int = 50,
        port: int = 0,
    ) -> None:
        super().__init__("Harness", faults=faults, port=port)
        self._history, self._token, self._account = history, token, account
        self._services, self._code_host, self._page_size = services, code_host, page
        self.types: dict[str, str] = {}  # of environments whose names do not say it
        self.without_types = False  # as of stages that GitOps brings changes to
        self.advance(at or history.ends_at)

    @property
    def project(self) -> str:
        return self._history.organisation.login

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant, which is the server's own time, from the next request on."""
        self.at = to
        self.clock_ahead = to - datetime.now(UTC)
        self._shown = HistoryAt(self._history, to)

    def split(self, path: str) -> tuple[str, str]:
        return path.removeprefix(GATEWAY), GATEWAY if path.startswith(GATEWAY) else ""

    def answer_of(self, request: Request) -> Answer:
        query = request.query
        if request.headers.get("x-api-key") != self._token:
            return _refusal(401, "INVALID_TOKEN", "Token is not valid.")
        if query.get("accountIdentifier") != self._account:
            return _refusal(400, "INVALID_REQUEST", "Invalid account identifier.")
        if request.path == "/ng/api/projects":
            project = {"orgIdentifier": ORGANISATION, "identifier": self.project, "name": self.project.title()}
            others = query.get("orgIdentifier", ORGANISATION) != ORGANISATION
            return _listed([] if others else [{"project": project}], query, "pageIndex", "pageSize")
        if query.get("orgIdentifier") != ORGANISATION or query.get("projectIdentifier") != self.project:
            return _refusal(404, "RESOURCE_NOT_FOUND", "Project not found.")
        return self._of_project(request)

    def _of_project(self, request: Request) -> Answer:
        if request.path == "/ng/api/environmentsV2":
            names = sorted({one.environment for of in self._shown.deployments.values() for one in of})
            return _listed([{"environment": self._environment(name)} for name in names], request.query, "page", "size")
        if request.path == _SUMMARY and request.method == "POST":
            return self._summary(request)
        if not request.path.startswith(_DETAILS):
            return _refusal(404, "RESOURCE_NOT_FOUND", "Not found.")
        id_ = request.path.removeprefix(_DETAILS)
        found = next((one for one in self.executions() if one["planExecutionId"] == id_), None)
        if found is None:
            text = f"Plan Execution Summary does not exist or has been deleted for planExecutionId: {id_}"
            return _refusal(400, "ENTITY_NOT_FOUND", text)
        return _success({"pipelineExecutionSummary": found})

    def _summary(self, request: Request) -> Answer:
        """Executions by the time at which they were triggered, the newest first: the latest ones, without a range."""
        body = request.json()
        times, statuses = body.get("timeRange") or {}, body.get("status") or []
        if ("startTime" in times) != ("endTime" in times):
            return _refusal(400, "INVALID_REQUEST", "startTime or endTime is not provided in TimeRange filter.")
        begin, end = times.get("startTime", _ms(self.at - _LATEST)), times.get("endTime", _ms(self.at))
        found = [
            one
            for one in self.executions()
            if begin <= one["startTs"] <= end and (not statuses or one["status"] in statuses)
        ]
        if request.query.get("showAllExecutions") != "true":
            tried = {one["retryExecutionMetadata"]["parentExecutionId"] for one in found if _is_retry(one)}
            found = [one for one in found if one["planExecutionId"] not in tried]
        found.sort(key=lambda one: (one["startTs"], one["planExecutionId"]), reverse=True)
        size = min(int(request.query.get("size", "10")), self._page_size)
        return _listed(found, {**request.query, "size": str(size)}, "page", "size")

    def executions(self) -> list[dict[str, Any]]:
        """All executions as of now, with the numbers that they have in their pipelines."""
        executions = [
            *(one for runs in self._shown.runs.values() for run in runs for one in self._builds(run)),
            *(self._rollout(one) for of in self._shown.deployments.values() for one in of),
        ]
        sequence: dict[str, int] = {}
        for one in sorted(executions, key=lambda one: (one["startTs"], one["planExecutionId"])):
            sequence[one["pipelineIdentifier"]] = sequence.get(one["pipelineIdentifier"], 0) + 1
            one["runSequence"] = sequence[one["pipelineIdentifier"]]
        return executions

    def _builds(self, run: PipelineRun) -> Iterator[dict[str, Any]]:
        for attempt in run.attempts:
            if attempt.started_at <= self.at:
                yield self._build(run, attempt)

    def _build(self, run: PipelineRun, attempt: Attempt) -> dict[str, Any]:
        ended = attempt.finished_at <= self.at
        nodes = {}
        for job in attempt.jobs:
            has_started, has_ended = job.started_at <= self.at, job.finished_at <= self.at
            status = OUTCOMES[job.outcome] if has_ended else "Running" if has_started else "NotStarted"
            node = _node("CI", "ci", job.name, status, {"ci": {}})
            times = {"startTs": _ms(job.started_at)} | ({"endTs": _ms(job.finished_at)} if has_ended else {})
            nodes[_id("stage", job.id)] = node | (times if has_started else {})
        repository = f"{self._code_host}/{run.repository.name}"
        commit = {"id": run.commit.sha, "link": f"{repository}/commit/{run.commit.sha}", "ownerEmail": ""}
        info: dict[str, Any] = {"event": "branch", "branch": {"commits": [commit]}}
        if run.pull_request is not None:
            of = {"sourceBranch": run.branch, "link": f"{repository}/pull/{run.pull_request}", "commits": [commit]}
            info = {"event": "pullRequest", "pullRequest": of}
        return {
            **self._execution(run.repository.name, run.workflow.name, _id("run", run.id, attempt.number)),
            "status": OUTCOMES[attempt.outcome] if ended else "Running",
            "executionTriggerInfo": _trigger(_TRIGGERS.get(run.trigger, "MANUAL"), attempt.by),
            "retryExecutionMetadata": {
                "parentExecutionId": _id("run", run.id, max(attempt.number - 1, 1)),
                "rootExecutionId": _id("run", run.id, 1),
            },
            "moduleInfo": {
                "ci": {
                    "branch": run.branch,
                    "repoName": run.repository.name,
                    "ciExecutionInfoDTO": info,
                    "scmDetailsList": [{"scmUrl": f"{self._code_host.rpartition('/')[0]}/", "scmProvider": "Github"}],
                }
            },
            "layoutNodeMap": nodes,
            "modules": ["ci"],
            **_times(run.created_at if attempt.number == 1 else attempt.started_at, attempt.finished_at, self.at),
        }

    def _rollout(self, deployment: Deployment) -> dict[str, Any]:
        began = next(
            (one.at for one in deployment.statuses if one.state is DeploymentState.IN_PROGRESS), deployment.created_at
        )
        end = next((one for one in deployment.statuses if one.state in _STATES), None)
        ended = end if end is not None and end.at <= self.at else None
        status = _STATES[ended.state] if ended else "Running"
        name = deployment.repository.name
        service = deployment.service or self._services.get(name, name)
        image = f"{self.project}/{name}"
        environment = self._environment(deployment.environment)
        kinds = () if self.without_types else ("type",)
        deploys: dict[str, Any] = {
            "serviceInfo": {
                "identifier": service.replace(" ", "_").replace("-", "_"),
                "displayName": service,
                "deploymentType": "Kubernetes",
                "artifacts": {
                    "primary": {"imagePath": image, "tag": deployment.sha},
                    "artifactDisplayName": f"{image}:{deployment.sha}",
                    "sidecars": [],
                },
            },
            "infraExecutionSummary": {part: environment[part] for part in ("identifier", "name", *kinds)},
        }
        node = _node("Deployment", "cd", "Deploy", status, {"cd": deploys})
        has_started = began <= self.at
        tags = [{"key": "hotfix", "value": str(bool(deployment.rollback_of or deployment.fixes)).lower()}]
        if deployment.rollback_of is not None:
            tags.append({"key": "revert_execution_id", "value": _id("deployment", deployment.rollback_of)})
        pipeline = f"Rollout to {deployment.environment}"
        return {
            **self._execution(name, pipeline, _id("deployment", deployment.id)),
            "status": status,
            "tags": tags,
            "executionTriggerInfo": _trigger("MANUAL", deployment.by),
            "moduleInfo": {"cd": {"envIdentifiers": [environment["identifier"]], "serviceIdentifiers": [service]}},
            "layoutNodeMap": {
                _id("stage of", deployment.id): node
                | ({"startTs": _ms(began)} if has_started else {"status": "NotStarted"})
                | ({"endTs": _ms(ended.at)} if ended else {}),
                _id("rollback of", deployment.id): _node(
                    "PipelineRollback", "pms", "Pipeline Rollback", "NotStarted", {}
                ),
            },
            "modules": ["cd"],
            **_times(deployment.created_at, end.at if end else None, self.at),
        }

    def _execution(self, repository: str, pipeline: str, id_: str) -> dict[str, Any]:
        return {
            "pipelineIdentifier": f"{repository}_{pipeline}".replace(" ", "_").replace("-", "_"),
            "orgIdentifier": ORGANISATION,
            "projectIdentifier": self.project,
            "planExecutionId": id_,
            "name": pipeline,
            "tags": [],
            "executionMode": "NORMAL",
            "retryExecutionMetadata": {"parentExecutionId": id_, "rootExecutionId": id_},
            "parentStageInfo": {"hasparentpipeline": False, "executionid": ""},
        }

    def _environment(self, name: str) -> dict[str, str]:
        kind = self.types.get(name, "Production" if "prod" in name else "PreProduction")
        return {"identifier": name.replace("-", "_"), "name": name, "type": kind}


def _node(kind: str, module: str, name: str, status: str, info: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "nodeType": kind,
        "nodeGroup": "STAGE",
        "nodeIdentifier": name.replace(" ", "_"),
        "name": name,
        "status": status,
        "module": module,
        "moduleInfo": info,
        "failureInfo": {"message": "It did not work." if status == "Failed" else ""},
        "isRollbackStageNode": False,
    }


def _trigger(kind: str, by: Account | None) -> dict[str, Any]:
    person = {"uuid": f"user{by.id}", "identifier": by.name or by.login, "extraInfo": {"email": by.email}} if by else {}
    return {"triggerType": kind, "isRerun": False, "triggeredBy": person}


def _times(triggered: datetime, finished: datetime | None, at: datetime) -> dict[str, int]:
    times = {"startTs": _ms(triggered), "createdAt": _ms(triggered) + 60}
    return times | ({"endTs": _ms(finished)} if finished is not None and finished <= at else {})


def _is_retry(execution: Mapping[str, Any]) -> bool:
    return bool(execution["retryExecutionMetadata"]["parentExecutionId"] != execution["planExecutionId"])


def _listed(entries: Documents, query: Mapping[str, str], number_name: str, size_name: str) -> Answer:
    number, size = int(query.get(number_name, "0")), int(query.get(size_name, "50"))
    content = list(entries[number * size : (number + 1) * size])
    return _success(
        {
            "content": content,
            "totalPages": -(-len(entries) // size),
            "totalElements": len(entries),
            "number": number,
            "size": size,
            "last": (number + 1) * size >= len(entries),
            "empty": not content,
        }
    )


def _success(data: Mapping[str, Any]) -> Answer:
    return Answer.of({"status": "SUCCESS", "data": data, "metaData": None, "correlationId": "only-for-tests"})


def _refusal(status: int, code: str, message: str) -> Answer:
    return Answer.of({"status": "ERROR", "code": code, "message": message, "detailedMessage": None}, status=status)


def _id(*parts: object) -> str:
    """An id as Harness makes them: 22 characters of base 64."""
    digest = hashlib.sha1(" ".join(map(str, parts)).encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
