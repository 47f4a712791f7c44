from integrations.models.changes import FactChange, FactFamily
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
    "DroppedAttribute",
    "Enrolment",
    "FactChange",
    "FactFamily",
    "IngestToken",
    "QuarantinedRecord",
    "RawDay",
    "ReceivedBatch",
    "ReceivedTally",
    "SeriesBase",
    "ToolOutcome",
    "UnreadEvent",
]
