from integrations.models.allocation import (
    AllocationRule,
    Effort,
    EffortWeek,
    InvestmentCategory,
    InvestmentKind,
    InvestmentTarget,
    WorkDay,
)
from integrations.models.arrivals import QuarantinedPayload, WebhookDelivery
from integrations.models.attribution import (
    AttributionWork,
    CommitEvidence,
    EvidenceLevel,
    FileAttribution,
    Method,
    PullRequestShare,
    SessionShare,
    UnreadableNote,
    UnusedNote,
)
from integrations.models.changes import FAMILY_OF_KIND, FactChange, FactFamily
from integrations.models.code import (
    AppliedThresholds,
    CoAuthor,
    Commit,
    CommitExclusion,
    CommitFile,
    CommitInRepository,
    ContextFile,
    UnmergedBranch,
)
from integrations.models.collector import CollectedLines, CollectorMachine
from integrations.models.connections import Connection, Repository, RepositorySource, SyncRun
from integrations.models.delivery import (
    Deployment,
    DeploymentExclusion,
    DeploymentRule,
    DeploymentStatus,
    Incident,
    PipelineJob,
    PipelineRun,
    Release,
)
from integrations.models.delivery_links import (
    CommitPlace,
    DeployedPullRequest,
    DeployedPush,
    DeploymentFailure,
    DeploymentMethod,
    FailedDeployment,
    FailureMethod,
    LinkingRules,
    PlacingWork,
    ProposedRollback,
    PullRequestOrigin,
    RepeatedReport,
    ServicePaths,
    TouchedService,
)
from integrations.models.fields import EncryptedField, UnreadableSecretsError
from integrations.models.hand_kept import HandKeptMetric, HandKeptMetricKeeper, HandKeptValue
from integrations.models.ingest import IngestScope, IngestToken, KnownName, PushedRecord
from integrations.models.joined_repositories import OwnCommit, OwnRecord, RepositoryJoin
from integrations.models.line_history import ChangedLines, LineHistory, RewrittenLines
from integrations.models.ownership import Owned, OwnedKind, Ownership, OwnershipChange
from integrations.models.pipeline_run_figures import PipelineRunFigures
from integrations.models.placing import PlacingRule, RepositoryAlias, RuledRecord, UnplacedReason, UnplacedRecord
from integrations.models.prices import (
    AppliedPriceBook,
    PriceOverride,
    PriceOverrideChange,
    PriceSnapshot,
    PriceVersion,
    Repricing,
)
from integrations.models.provider_fact import ProviderFact
from integrations.models.pull_request_figures import (
    CountedReview,
    PullRequestExclusion,
    PullRequestFigures,
    PullRequestWork,
    RevertMethod,
    SizeClass,
)
from integrations.models.pull_requests import (
    PullRequest,
    PullRequestCommit,
    PullRequestEvent,
    PullRequestReview,
    WorkItemLink,
)
from integrations.models.quality import CodeScan, CodeScanningAlert, CoverageReport, TestReport
from integrations.models.resources import Quota, Resource, SeenRecord, Stream, ValueMapping
from integrations.models.seats import SeatAssignment, SeatPlan
from integrations.models.sessions import (
    AgentMeterSlot,
    AgentRequest,
    AgentSession,
    AgentSessionDay,
    AgentTierDay,
    AgentToolCall,
    AgentToolDay,
    CacheExclusiveSender,
    ChannelWork,
    Enrolment,
    SessionPlace,
    SessionProcess,
    TelemetryPlace,
    ToolOutcome,
)
from integrations.models.silences import SenderDay, Silence
from integrations.models.sprints import SprintFigures, SprintItem
from integrations.models.telemetry import (
    DroppedAttribute,
    QuarantinedRecord,
    RawDay,
    ReceivedBatch,
    ReceivedTally,
    SeriesBase,
    UnreadEvent,
)
from integrations.models.usage_files import ImportedUsage
from integrations.models.vendors import VendorReport, VendorUsage
from integrations.models.work_item_figures import WorkItemFigures
from integrations.models.work_items import (
    Project,
    ReportedSprintItem,
    Sprint,
    SprintChange,
    WorkItem,
    WorkItemAssignment,
    WorkItemChange,
    WorkItemTransition,
)
from integrations.models.work_types import PredictedWorkType, WorkTypeModel
from integrations.models.working_agreements import AppliedAgreement, PullRequestMark, WorkingAgreement
