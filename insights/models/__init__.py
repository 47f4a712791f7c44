from insights.models.annotations import Annotation
from insights.models.badges import Badge
from insights.models.columns import ColumnPartition, TableChange
from insights.models.dashboards import Dashboard, DashboardShare, HomeDashboard, SharedWith
from insights.models.figure_records import FigureRecord

__all__ = [
    "Annotation",
    "Badge",
    "ColumnPartition",
    "Dashboard",
    "DashboardShare",
    "FigureRecord",
    "HomeDashboard",
    "SharedWith",
    "TableChange",
]
