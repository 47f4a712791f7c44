from programs.models.benchmarks import BenchmarkVersion, Direction, Period
from programs.models.budgets import AlertKind, Budget, BudgetAlert
from programs.models.demo_run import DemoRun
from programs.models.focus import FocusVersion
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
from programs.models.messages import Channel, Delivery, MessageKind, Notice, OptOut, OutgoingEmail, QuietHours
from programs.models.mirrors import TicketMirror
from programs.models.objective_measures import KeyResultMeasure, ObjectiveMeasure
from programs.models.objective_templates import ObjectiveTemplate, TemplateKeyResult
from programs.models.objectives import CheckIn, KeyResult, Objective, ObjectiveStatus, TargetKind
from programs.models.philosophy import Acknowledgement, PhilosophyVersion
from programs.models.qbr import Qbr, QbrPeriod, QbrSection, QbrState, SectionKey
from programs.models.quarters import FrozenDocument, Quarter
from programs.models.reviews import PointKind, Review, ReviewAttendance, ReviewPoint
from programs.models.roadmaps import Persona, PersonaMetric, RoadmapIntent
from programs.models.settings import ProgramSettings
from programs.models.ticket_templates import TicketTemplate
from programs.models.tickets import (
    BottleneckKind,
    Nature,
    Ticket,
    TicketComment,
    TicketEffect,
    TicketPullRequest,
    TicketState,
    TicketWatcher,
)

__all__ = [
    "Acknowledgement",
    "AlertKind",
    "BenchmarkVersion",
    "BottleneckKind",
    "Budget",
    "BudgetAlert",
    "CalendarFeed",
    "Channel",
    "CheckIn",
    "Delivery",
    "DemoRun",
    "Direction",
    "FocusVersion",
    "FrozenDocument",
    "KeyResult",
    "KeyResultMeasure",
    "Meeting",
    "MeetingKind",
    "MeetingParticipant",
    "MeetingSeries",
    "MeetingState",
    "MessageKind",
    "Nature",
    "Notice",
    "Objective",
    "ObjectiveMeasure",
    "ObjectiveStatus",
    "ObjectiveTemplate",
    "OnHoliday",
    "OptOut",
    "OutgoingEmail",
    "Period",
    "Persona",
    "PersonaMetric",
    "PhilosophyVersion",
    "Place",
    "PointKind",
    "ProgramSettings",
    "Qbr",
    "QbrPeriod",
    "QbrSection",
    "QbrState",
    "Quarter",
    "QuietHours",
    "Review",
    "ReviewAttendance",
    "ReviewPoint",
    "RoadmapIntent",
    "Rule",
    "SectionKey",
    "TargetKind",
    "TemplateKeyResult",
    "Ticket",
    "TicketComment",
    "TicketEffect",
    "TicketMirror",
    "TicketPullRequest",
    "TicketState",
    "TicketTemplate",
    "TicketWatcher",
    "Weekday",
]
