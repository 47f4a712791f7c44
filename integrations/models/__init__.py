from integrations.models.ingest import IngestToken
from integrations.models.sessions import AgentRequest, AgentSession, AgentSessionDay, AgentToolCall, AgentToolDay
from integrations.models.telemetry import DroppedAttribute, QuarantinedRecord, ReceivedBatch, UnreadEvent

__all__ = [
    "AgentRequest",
    "AgentSession",
    "AgentSessionDay",
    "AgentToolCall",
    "AgentToolDay",
    "DroppedAttribute",
    "IngestToken",
    "QuarantinedRecord",
    "ReceivedBatch",
    "UnreadEvent",
]
