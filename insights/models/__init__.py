from insights.models.snapshots import DirtyRange, MetricCell, Period, SnapshotState

__all__ = ["DirtyRange", "MetricCell", "Period", "SnapshotState"]
