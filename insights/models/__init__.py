from insights.models.annotations import Annotation, AnnotationChange
from insights.models.badges import Badge
from insights.models.snapshots import DirtyRange, MetricCell, Period, SnapshotState

__all__ = ["Annotation", "AnnotationChange", "Badge", "DirtyRange", "MetricCell", "Period", "SnapshotState"]
