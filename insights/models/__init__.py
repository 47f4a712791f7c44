from insights.models.annotations import Annotation
from insights.models.badges import Badge
from insights.models.columns import ColumnPartition, TableChange
from insights.models.contexts import ComparableRule, Context
from insights.models.dashboards import Dashboard, DashboardShare, HomeDashboard
from insights.models.figure_records import FigureRecord
from insights.models.findings import Finding, ReviewWaits
from insights.models.forecasts import ForecastRecord, PlannedDay
from insights.models.saved_views import SavedView, SavedViewShare
from insights.models.sharing import SharedWith

__all__ = [
    "Annotation",
    "Badge",
    "ColumnPartition",
    "ComparableRule",
    "Context",
    "Dashboard",
    "DashboardShare",
    "FigureRecord",
    "Finding",
    "ForecastRecord",
    "HomeDashboard",
    "PlannedDay",
    "ReviewWaits",
    "SavedView",
    "SavedViewShare",
    "SharedWith",
    "TableChange",
]
