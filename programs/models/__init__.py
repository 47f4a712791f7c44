from programs.models.benchmarks import BenchmarkVersion, Direction, Period
from programs.models.demo_run import DemoRun
from programs.models.focus import FocusVersion
from programs.models.objectives import CheckIn, KeyResult, Objective, Standing, TargetKind
from programs.models.philosophy import Acknowledgement, PhilosophyVersion
from programs.models.quarters import FrozenDocument, Quarter
from programs.models.tickets import (
    BottleneckKind,
    Nature,
    Ticket,
    TicketComment,
    TicketEffect,
    TicketState,
)

__all__ = [
    "Acknowledgement",
    "BenchmarkVersion",
    "BottleneckKind",
    "CheckIn",
    "DemoRun",
    "Direction",
    "FocusVersion",
    "FrozenDocument",
    "KeyResult",
    "Nature",
    "Objective",
    "Period",
    "PhilosophyVersion",
    "Quarter",
    "Standing",
    "TargetKind",
    "Ticket",
    "TicketComment",
    "TicketEffect",
    "TicketState",
]
