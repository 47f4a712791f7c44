from integrations.models.arrivals import QuarantinedPayload, WebhookDelivery
from integrations.models.attribution import (
    AttributionWork,
    CommitEvidence,
    EvidenceLevel,
    FileAttribution,
    Method,
    SessionRepository,
    UnreadableNote,
)
from integrations.models.changes import FactChange, FactFamily
from integrations.models.code import CoAuthor, Commit, CommitFile, CommitInRepository, CommitSetApart, ContextFile
from integrations.models.connections import Connection, Repository, RepositorySource, SyncRun
from integrations.models.delivery import Deployment, DeploymentStatus, Incident, PipelineJob, PipelineRun, Release
from integrations.models.encrypted import EncryptedField, UnreadableSecretsError
from integrations.models.ingest import IngestToken
from integrations.models.ownership import Owned, OwnedKind, Ownership
from integrations.models.provider_fact import ProviderFact
from integrations.models.pull_requests import (
    PullRequest,
    PullRequestCommit,
    PullRequestEvent,
    PullRequestReview,
    WorkItemLink,
)
from integrations.models.resources import Meaning, Quota, Resource, Stream, ToldRecord
from integrations.models.retention import RawDay, SeriesBase
from integrations.models.sessions import (
    AgentMeterSlot,
    AgentRequest,
    AgentSession,
    AgentSessionDay,
    AgentToolCall,
    AgentToolDay,
    Enrolment,
    ToolOutcome,
)
from integrations.models.telemetry import (
    DroppedAttribute,
    QuarantinedRecord,
    ReceivedBatch,
    ReceivedTally,
    UnreadEvent,
)
from integrations.models.work_items import (
    Project,
    Sprint,
    SprintChange,
    WorkItem,
    WorkItemAssignment,
    WorkItemTransition,
)

__all__ = [
    "AgentMeterSlot",
    "AgentRequest",
    "AgentSession",
    "AgentSessionDay",
    "AgentToolCall",
    "AgentToolDay",
    "AttributionWork",
    "CoAuthor",
    "Commit",
    "CommitEvidence",
    "CommitFile",
    "CommitInRepository",
    "CommitSetApart",
    "Connection",
    "ContextFile",
    "Deployment",
    "DeploymentStatus",
    "DroppedAttribute",
    "EncryptedField",
    "Enrolment",
    "EvidenceLevel",
    "FactChange",
    "FactFamily",
    "FileAttribution",
    "Incident",
    "IngestToken",
    "Meaning",
    "Method",
    "Owned",
    "OwnedKind",
    "Ownership",
    "PipelineJob",
    "PipelineRun",
    "Project",
    "ProviderFact",
    "PullRequest",
    "PullRequestCommit",
    "PullRequestEvent",
    "PullRequestReview",
    "QuarantinedPayload",
    "QuarantinedRecord",
    "Quota",
    "RawDay",
    "ReceivedBatch",
    "ReceivedTally",
    "Release",
    "Repository",
    "RepositorySource",
    "Resource",
    "SeriesBase",
    "SessionRepository",
    "Sprint",
    "SprintChange",
    "Stream",
    "SyncRun",
    "ToldRecord",
    "ToolOutcome",
    "UnreadEvent",
    "UnreadableNote",
    "UnreadableSecretsError",
    "WebhookDelivery",
    "WorkItem",
    "WorkItemAssignment",
    "WorkItemLink",
    "WorkItemTransition",
]
