from insights.models.annotations import Annotation, AnnotationChange
from insights.models.badges import Badge
from insights.models.columns import ColumnPartition, TableChange
from insights.models.figure_records import FigureRecord

__all__ = [
    "Annotation",
    "AnnotationChange",
    "Badge",
    "ColumnPartition",
    "FigureRecord",
    "TableChange",
]
