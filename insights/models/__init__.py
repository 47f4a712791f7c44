from insights.models.annotations import Annotation, AnnotationChange
from insights.models.badges import Badge
from insights.models.columns import ColumnPartition
from insights.models.comparisons import KeptComparison
from insights.models.figure_records import FigureRecord
from insights.models.people_figures import KeptPeopleFigures
from insights.models.snapshots import SnapshotState

__all__ = [
    "Annotation",
    "AnnotationChange",
    "Badge",
    "ColumnPartition",
    "FigureRecord",
    "KeptComparison",
    "KeptPeopleFigures",
    "SnapshotState",
]
