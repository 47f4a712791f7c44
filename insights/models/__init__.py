from insights.models.annotations import Annotation, AnnotationChange
from insights.models.snapshots import DirtyRange, MetricCell, Period, SnapshotState

__all__ = ["Annotation", "AnnotationChange", "DirtyRange", "MetricCell", "Period", "SnapshotState"]
