from programs.models.benchmarks import BenchmarkVersion, Direction, FocusVersion, Period
from programs.models.budgets import AlertKind, Budget, BudgetAlert
from programs.models.capitalisation import CapitalisationPeriod, InitiativeEvidence, PeriodState, Standard, Uncertainty
from programs.models.comments import Comment
from programs.models.digests import (
    AlertRule,
    Digest,
    DigestContent,
    DigestFigure,
    DigestLine,
    DigestSubscription,
    Rhythm,
)
from programs.models.experiments import (
    Experiment,
    ExperimentResult,
    ExperimentState,
    ExperimentVerdict,
    PilotFigure,
)
from programs.models.finding_work import FindingWork
from programs.models.meetings import (
    CalendarFeed,
    Meeting,
    MeetingKind,
    MeetingParticipant,
    MeetingSeries,
    MeetingState,
    OnHoliday,
    Place,
    Rule,
    Weekday,
)
from programs.models.messages import Breach, Channel, Delivery, MessageKind, Notice, OptOut, OutgoingEmail, QuietHours
from programs.models.objectives import (
    CheckIn,
    KeyResult,
    KeyResultMeasure,
    Objective,
    ObjectiveMeasure,
    ObjectiveStatus,
    ObjectiveTemplate,
    TargetKind,
    TemplateKeyResult,
)
from programs.models.philosophy import Acknowledgement, PhilosophyVersion
from programs.models.qbr import Qbr, QbrAudience, QbrDecision, QbrPeriod, QbrSection, QbrState, SectionKey
from programs.models.quarters import FrozenDocument, Quarter
from programs.models.reports import LanguageModel, Report, ReportRewrite, TeamReleases
from programs.models.reviews import PointKind, Review, ReviewAttendance, ReviewPoint
from programs.models.roadmaps import Persona, PersonaMetric, RoadmapIntent
from programs.models.settings import DemoRun, ProgramSettings
from programs.models.tickets import (
    BottleneckKind,
    Nature,
    Ticket,
    TicketEffect,
    TicketMirror,
    TicketPullRequest,
    TicketState,
    TicketTemplate,
    TicketWatcher,
)
