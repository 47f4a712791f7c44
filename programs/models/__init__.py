from programs.models.demo_run import DemoRun
from programs.models.objectives import CheckIn, KeyResult, Objective, Standing, TargetKind
from programs.models.quarters import FrozenDocument, Quarter

__all__ = [
    "CheckIn",
    "DemoRun",
    "FrozenDocument",
    "KeyResult",
    "Objective",
    "Quarter",
    "Standing",
    "TargetKind",
]
