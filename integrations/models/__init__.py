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
from integrations.models.ingest import IngestToken
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
    "DroppedAttribute",
    "Enrolment",
    "EvidenceLevel",
    "FactChange",
    "FactFamily",
    "FileAttribution",
    "IngestToken",
    "Method",
    "QuarantinedRecord",
    "RawDay",
    "ReceivedBatch",
    "ReceivedTally",
    "Repository",
    "RepositorySource",
    "SeriesBase",
    "SessionRepository",
    "SyncRun",
    "ToolOutcome",
    "UnreadEvent",
    "UnreadableNote",
]
