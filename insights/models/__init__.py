from insights.models.annotations import Annotation, AnnotationChange
from insights.models.badges import Badge
from insights.models.comparisons import KeptComparison
from insights.models.people_figures import KeptPeopleFigures
from insights.models.snapshots import CellGroup, DirtyRange, MetricCell, Period, SnapshotState

__all__ = [
    "Annotation",
    "AnnotationChange",
    "Badge",
    "CellGroup",
    "DirtyRange",
    "KeptComparison",
    "KeptPeopleFigures",
    "MetricCell",
    "Period",
    "SnapshotState",
]
