"""Workflow runs, jobs, deployments, releases and code scanning alerts, as GitHub's REST API and webhooks write them."""

from __future__ import annotations

from datetime import datetime

from demo.plan.delivery import (
    Attempt,
    CodeScanningAlert,
    Deployment,
    DeploymentState,
    DeploymentStatus,
    Job,
    Outcome,
    PipelineRun,
    Release,
    Workflow,
)
from demo.providers.github_payloads import Json, Payloads, tree_sha, when

CONCLUSIONS = {
    Outcome.SUCCESS: "success",
    Outcome.FAILURE: "failure",
    Outcome.CANCELLED: "cancelled",
    Outcome.SKIPPED: "skipped",
    Outcome.TIMED_OUT: "timed_out",
}
DEPLOYMENT_STATES = {state: state.replace(" ", "_") for state in DeploymentState}


def attempts_until(run: PipelineRun, at: datetime) -> list[Attempt]:
    """The attempts that had begun; at least the first, which waits where it had not."""
    return [attempt for attempt in run.attempts if attempt.started_at <= at] or [run.attempts[0]]


def workflow(payloads: Payloads, run: PipelineRun) -> Json:
    record: Workflow = run.workflow
    page = f"{payloads.web}/{payloads.full_name(run.repository)}"
    return {
        "id": record.id,
        "node_id": f"W_{record.id}",
        "name": record.name,
        "path": record.path,
        "state": "active",
        "created_at": when(run.repository.created_at),
        "updated_at": when(run.repository.created_at),
        "url": f"{payloads.at(run.repository)}/actions/workflows/{record.id}",
        "html_url": f"{page}/blob/{run.repository.default_branch}/{record.path}",
        "badge_url": f"{page}/workflows/{record.name}/badge.svg",
    }


def workflow_run(payloads: Payloads, run: PipelineRun, attempt: Attempt, at: datetime) -> Json:
    """The run as its attempt stood at the instant; GitHub's lists have each run once, with its latest attempt."""
    address = f"{payloads.at(run.repository)}/actions/runs/{run.id}"
    page = f"{payloads.web}/{payloads.full_name(run.repository)}/actions/runs/{run.id}"
    suite = run.id + 1
    status = _status(attempt.started_at, attempt.finished_at, at)
    changed_at = max(instant for instant in (run.created_at, attempt.started_at, attempt.finished_at) if instant <= at)
    repository = payloads.repository(run.repository)
    return {
        "id": run.id,
        "name": run.workflow.name,
        "node_id": f"WFR_{run.id}",
        "head_branch": run.branch,
        "head_sha": run.commit.sha,
        "path": run.workflow.path,
        "display_title": run.commit.subject,
        "run_number": run.number,
        "event": run.trigger,
        "status": status,
        "conclusion": CONCLUSIONS[attempt.outcome] if status == "completed" else None,
        "workflow_id": run.workflow.id,
        "check_suite_id": suite,
        "check_suite_node_id": f"CS_{suite}",
        "url": address,
        "html_url": page,
        "pull_requests": [_named_pull_request(payloads, run)] if run.pull_request is not None else [],
        "created_at": when(run.created_at),
        "updated_at": when(changed_at),
        "actor": payloads.user_or_none(run.by),
        "run_attempt": attempt.number,
        "referenced_workflows": [],
        "run_started_at": when(attempt.started_at),
        "triggering_actor": payloads.user_or_none(attempt.by),
        "jobs_url": f"{address}/jobs",
        "logs_url": f"{address}/logs",
        "check_suite_url": f"{payloads.at(run.repository)}/check-suites/{suite}",
        "artifacts_url": f"{address}/artifacts",
        "cancel_url": f"{address}/cancel",
        "rerun_url": f"{address}/rerun",
        "previous_attempt_url": f"{address}/attempts/{attempt.number - 1}" if attempt.number > 1 else None,
        "workflow_url": f"{payloads.at(run.repository)}/actions/workflows/{run.workflow.id}",
        "head_commit": {
            "id": run.commit.sha,
            "tree_id": tree_sha(run.commit),
            "message": run.commit.message.rstrip("\n"),
            "timestamp": when(run.commit.committed_at),
            "author": {"name": run.commit.author_name, "email": run.commit.author_email},
            "committer": {"name": run.commit.author_name, "email": run.commit.author_email},
        },
        "repository": repository,
        "head_repository": repository,
    }


def workflow_job(payloads: Payloads, run: PipelineRun, attempt: Attempt, job: Job, at: datetime) -> Json:
    address = payloads.at(run.repository)
    status = _status(job.started_at, job.finished_at, at)
    has_run = job.outcome is not Outcome.SKIPPED and job.started_at <= at
    return {
        "id": job.id,
        "run_id": run.id,
        "workflow_name": run.workflow.name,
        "head_branch": run.branch,
        "run_url": f"{address}/actions/runs/{run.id}",
        "run_attempt": attempt.number,
        "node_id": f"CR_{job.id}",
        "head_sha": run.commit.sha,
        "url": f"{address}/actions/jobs/{job.id}",
        "html_url": f"{payloads.web}/{payloads.full_name(run.repository)}/actions/runs/{run.id}/job/{job.id}",
        "status": status,
        "conclusion": CONCLUSIONS[job.outcome] if status == "completed" else None,
        "created_at": when(job.queued_at),
        "started_at": when(job.started_at if job.started_at <= at else job.queued_at),
        "completed_at": when(job.finished_at) if status == "completed" else None,
        "name": job.name,
        "steps": [],
        "check_run_url": f"{address}/check-runs/{job.id}",
        "labels": ["ubuntu-latest"],
        "runner_id": 1 if has_run else None,
        "runner_name": "GitHub Actions 1" if has_run else None,
        "runner_group_id": 2 if has_run else None,
        "runner_group_name": "GitHub Actions" if has_run else None,
    }


def deployment(payloads: Payloads, record: Deployment, at: datetime) -> Json:
    address = f"{payloads.at(record.repository)}/deployments/{record.id}"
    changed_at = max([record.created_at, *(status.at for status in record.statuses if status.at <= at)])
    return {
        "url": address,
        "id": record.id,
        "node_id": f"DE_{record.id}",
        "task": "deploy",
        "original_environment": record.environment,
        "environment": record.environment,
        "description": record.description or None,
        "created_at": when(record.created_at),
        "updated_at": when(changed_at),
        "statuses_url": f"{address}/statuses",
        "repository_url": payloads.at(record.repository),
        "creator": payloads.user_or_none(record.by),
        "sha": record.sha,
        "ref": record.ref,
        "payload": _written(record),
        "transient_environment": False,
        "production_environment": record.environment == "production",
        "performed_via_github_app": None,
    }


def _written(record: Deployment) -> Json:
    """The deployer's own payload; empty if they write none."""
    unplanned = bool(record.rollback_of or record.fixes)
    return {"service": record.service, "unplanned": unplanned} if record.service else {"unplanned": unplanned}


def deployment_status(payloads: Payloads, record: Deployment, status: DeploymentStatus) -> Json:
    address = f"{payloads.at(record.repository)}/deployments/{record.id}"
    return {
        "url": f"{address}/statuses/{status.id}",
        "id": status.id,
        "node_id": f"DES_{status.id}",
        "state": DEPLOYMENT_STATES[status.state],
        "creator": payloads.user_or_none(status.by),
        "description": status.description,
        "environment": record.environment,
        "target_url": "",
        "created_at": when(status.at),
        "updated_at": when(status.at),
        "deployment_url": address,
        "repository_url": payloads.at(record.repository),
        "environment_url": "",
        "log_url": "",
        "performed_via_github_app": None,
    }


def release(payloads: Payloads, record: Release) -> Json:
    address = f"{payloads.at(record.repository)}/releases/{record.id}"
    page = f"{payloads.web}/{payloads.full_name(record.repository)}"
    return {
        "url": address,
        "assets_url": f"{address}/assets",
        "upload_url": f"{address}/assets{{?name,label}}",
        "html_url": f"{page}/releases/tag/{record.tag}",
        "id": record.id,
        "author": payloads.user_or_none(record.by),
        "node_id": f"RE_{record.id}",
        "tag_name": record.tag,
        "target_commitish": record.sha,
        "name": record.name,
        "draft": False,
        "prerelease": record.is_prerelease,
        "created_at": when(record.created_at),
        "published_at": when(record.published_at),
        "assets": [],
        "tarball_url": f"{payloads.at(record.repository)}/tarball/{record.tag}",
        "zipball_url": f"{payloads.at(record.repository)}/zipball/{record.tag}",
        "body": "",
    }


def _status(started_at: datetime, finished_at: datetime, at: datetime) -> str:
    if finished_at <= at:
        return "completed"
    return "in_progress" if started_at <= at else "queued"


def _named_pull_request(payloads: Payloads, run: PipelineRun) -> Json:
    repository = {"id": run.repository.id, "url": payloads.at(run.repository), "name": run.repository.name}
    return {
        "url": f"{payloads.at(run.repository)}/pulls/{run.pull_request}",
        "id": run.id,
        "number": run.pull_request,
        "head": {"ref": run.branch, "sha": run.commit.sha, "repo": repository},
        "base": {"ref": run.repository.default_branch, "sha": run.commit.sha, "repo": repository},
    }


def code_scanning_alert(payloads: Payloads, record: CodeScanningAlert, at: datetime) -> Json:
    """The alert as it is by then."""
    page = f"{payloads.web}/{payloads.full_name(record.repository)}/security/code-scanning/{record.number}"
    fixed_at, dismissed_at = (time if time and time <= at else None for time in (record.fixed_at, record.dismissed_at))
    state = "fixed" if fixed_at else "dismissed" if dismissed_at else "open"
    return {
        "number": record.number,
        "created_at": when(record.created_at),
        "updated_at": when(max(filter(None, (record.created_at, fixed_at, dismissed_at)))),
        "url": f"{payloads.at(record.repository)}/code-scanning/alerts/{record.number}",
        "html_url": page,
        "state": state,
        "fixed_at": fixed_at and when(fixed_at),
        "dismissed_by": None,
        "dismissed_at": dismissed_at and when(dismissed_at),
        "dismissed_reason": "false positive" if dismissed_at else None,
        "rule": {
            "id": record.rule,
            "severity": record.level,
            "security_severity_level": record.severity or None,
            "description": "A made-up rule",
        },
        "tool": {"name": "CodeQL", "guid": None, "version": "2.23.3"},
        "most_recent_instance": {
            "ref": "refs/heads/main",
            "state": state,
            "message": {"text": "password = 'hunter2' is hard-coded"},
            "location": {"path": record.path, "start_line": 1, "end_line": 1},
        },
    }
