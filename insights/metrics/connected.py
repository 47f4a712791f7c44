"""Since when a source is connected: before that a count is no data, from then on nothing is 0."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db import connection
from psycopg import sql

from insights.metrics.declarations import Metric
from insights.metrics.placing import days_of, joins_in_span, only_of, placement_parameters, unit_of
from insights.metrics.query import Window
from insights.metrics.reading import Placement
from insights.metrics.source import of_source
from integrations.facts.ai import ENROLMENTS
from integrations.models import FactFamily

NOT_YET = "This time has not come yet."
NOTHING = "Nothing was found in this time."


class Source(enum.Enum):
    """What feeds facts."""

    TELEMETRY = "telemetry of agents"
    REPOSITORIES = "connected repositories"


SOURCES: Mapping[FactFamily, Source] = {
    FactFamily.AI: Source.TELEMETRY,
    FactFamily.ENROLMENT: Source.TELEMETRY,
    FactFamily.CODE: Source.REPOSITORIES,
}
NO_SOURCE = {
    Source.TELEMETRY: "No telemetry had been received by then.",
    Source.REPOSITORIES: "The connected repositories have no commits from then.",
}
NO_SOURCE_EVER = {
    Source.TELEMETRY: "No telemetry has been received yet. Connect an agent to see figures here.",
    Source.REPOSITORIES: "No repository is connected yet. Connect one with `manage.py connect_git PATH` or in admin.",
}


@dataclass(frozen=True)
class Connected:
    """The source that a metric waited for longest, and the first local day from which it is there (None: never)."""

    source: Source
    since: date | None


class ConnectedSince:
    """Since when metrics have all their sources in a scope; looked up when it is asked: most figures have a value."""

    def __init__(self) -> None:
        self._known: dict[tuple[Source, Placement], Mapping[int | None, date]] = {}

    def of(self, metric: Metric, placement: Placement, unit_id: int | None = None) -> Connected:
        """One query for each source and placement; `unit_id` is one of a placement's several units."""
        sources = sorted({SOURCES[family] for family in metric.families}, key=list(Source).index)
        for source in sources:
            if (source, placement) not in self._known:
                self._known[source, placement] = _since(source, placement)
        connected = [Connected(source, _of(self._known[source, placement], unit_id)) for source in sources]
        return max(connected, key=lambda each: each.since or date.max)


def source_since(source: Source, placement: Placement) -> date | None:
    """The first local day from which there is anything of the source.

    Telemetry is somebody's of the scope; whoever is in no unit may be nobody that is known, so that all of it tells
    of them.  A connected repository tells of everybody: who has no commits in it has none.
    """
    return _of(_since(source, placement), None)


def _of(since: Mapping[int | None, date], unit_id: int | None) -> date | None:
    return since.get(unit_id, since.get(None))


def _since(source: Source, placement: Placement) -> Mapping[int | None, date]:
    """By unit where the placement is several; None where one day holds for all."""
    with connection.cursor() as cursor:
        if source is Source.REPOSITORIES:
            cursor.execute("SELECT NULL, min(counted_on) FROM integrations_commit")
        else:
            cursor.execute(_enrolled_since(placement), placement_parameters(placement))
        return {unit_id or None: since for unit_id, since in cursor.fetchall() if since}


def _enrolled_since(placement: Placement) -> sql.Composed:
    """One row per unit: the first day on which anybody of it was enrolled."""
    enrolled = sql.SQL("daterange({}, NULL)").format(of_source(ENROLMENTS.day))
    person = of_source(ENROLMENTS.person)
    return sql.SQL(
        "SELECT {unit}, min(lower({days})) FROM ({enrolments}) AS source {joins} WHERE true {only} GROUP BY 1"
    ).format(
        unit=unit_of(placement),
        days=days_of(placement, enrolled),
        enrolments=sql.SQL(ENROLMENTS.sql),
        joins=joins_in_span(placement, person, enrolled),
        only=only_of(placement, person),
    )


def why_no_data(window: Window, connected: Connected, today: date) -> str:
    """Why nothing stands in a window; NOTHING where a source is connected, so that a count of it is 0."""
    if window.start > today:
        return NOT_YET
    if connected.since is None:
        return NO_SOURCE_EVER[connected.source]
    return NO_SOURCE[connected.source] if window.end <= connected.since else NOTHING
