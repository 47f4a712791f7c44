from insights.models.annotations import Annotation, AnnotationChange
from insights.models.badges import Badge
from insights.models.columns import ColumnPartition
from insights.models.comparisons import KeptComparison
from insights.models.kept_columns import KeptColumn
from insights.models.people_figures import KeptPeopleFigures
from insights.models.snapshots import CellGroup, DirtyRange, MetricCell, Period, SnapshotState

__all__ = [
    "Annotation",
    "AnnotationChange",
    "Badge",
    "CellGroup",
    "ColumnPartition",
    "DirtyRange",
    "KeptColumn",
    "KeptComparison",
    "KeptPeopleFigures",
    "MetricCell",
    "Period",
    "SnapshotState",
]
