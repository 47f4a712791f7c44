"""The statuses of executions and stages.

https://apidocs.harness.io/tag/Pipeline-Execution-Details, `ExecutionStatus`.  An unknown one counts as `other`, and its
execution is read again until it is old.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.enums import RunStatus

NOT_STARTED = frozenset({"", "NotStarted", "NOT_STARTED"})
QUEUED = (
    *("NotStarted", "Queued", "ResourceWaiting"),
    *("QueuedLicenseLimitReached", "QueuedExecutionConcurrencyReached"),
)
RUNNING = (
    *("Running", "AsyncWaiting", "TaskWaiting", "TimedWaiting", "WaitStepRunning", "UploadWaiting"),
    *("InterventionWaiting", "ApprovalWaiting", "InputWaiting", "Paused", "Pausing", "Discontinuing"),
)
STATUSES: Mapping[str, RunStatus] = {
    **dict.fromkeys(QUEUED, RunStatus.QUEUED),
    **dict.fromkeys(RUNNING, RunStatus.RUNNING),
    **dict.fromkeys(("Success", "IgnoreFailed"), RunStatus.SUCCESS),  # a failed step was to be ignored
    **dict.fromkeys(("Failed", "Errored", "Expired"), RunStatus.FAILURE),
    **dict.fromkeys(("Aborted", "AbortedByFreeze", "ApprovalRejected"), RunStatus.CANCELLED),
    **dict.fromkeys(("Skipped", "Suspended"), RunStatus.SKIPPED),
}
