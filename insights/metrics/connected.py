"""Since when a source is connected: before that a count is no data, from then on nothing is 0."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db import connection
from psycopg import sql

from insights.metrics.declarations import Metric
from insights.metrics.query import Window
from insights.metrics.reading import Placed, Placement
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


_ENROLLED_SINCE = {
    Placed.ANYBODY: sql.SQL("SELECT min(enrolled_on) FROM ({enrolments}) AS source"),
    Placed.PERSON: sql.SQL("SELECT min(enrolled_on) FROM ({enrolments}) AS source WHERE person_id = ANY(%(ids)s)"),
    Placed.UNIT: sql.SQL(
        """
        SELECT min(greatest(source.enrolled_on, lower(placement.during)))
        FROM ({enrolments}) AS source
        JOIN orgtree_placement placement ON placement.person_id = source.person_id
         AND (upper(placement.during) IS NULL OR upper(placement.during) > source.enrolled_on)
        WHERE placement.ancestor_id = ANY(%(ids)s)
        """
    ),
}


def connected_since(asked: Iterable[tuple[Metric, Placement]]) -> Mapping[tuple[Metric, Placement], Connected]:
    """Since when each metric has all its sources in each scope."""
    known: dict[tuple[Source, Placement], Connected] = {}
    found: dict[tuple[Metric, Placement], Connected] = {}
    for metric, placement in asked:
        sources = sorted({SOURCES[family] for family in metric.families}, key=list(Source).index)
        for source in sources:
            if (source, placement) not in known:
                known[source, placement] = Connected(source, source_since(source, placement))
        found[metric, placement] = max(
            (known[source, placement] for source in sources), key=lambda each: each.since or date.max
        )
    return found


def source_since(source: Source, placement: Placement) -> date | None:
    """The first local day from which there is anything of the source.

    Telemetry is somebody's of the scope.  A connected repository tells of everybody: who has no commits in it has
    none.
    """
    with connection.cursor() as cursor:
        if source is Source.REPOSITORIES:
            cursor.execute("SELECT min(counted_on) FROM integrations_commit")
        else:
            statement = _ENROLLED_SINCE[placement.placed].format(enrolments=sql.SQL(ENROLMENTS.sql))
            cursor.execute(statement, {"ids": list(placement.ids)})
        since: date | None = cursor.fetchone()[0]
    return since


def why_no_data(window: Window, connected: Connected, today: date) -> str:
    """Why nothing stands in a window; NOTHING where a source is connected, so that a count of it is 0."""
    if window.start > today:
        return NOT_YET
    if connected.since is None:
        return NO_SOURCE_EVER[connected.source]
    return NO_SOURCE[connected.source] if window.end <= connected.since else NOTHING
