"""Since when a source is connected: before that a count is no data, from then on nothing is 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from django.db import connection
from psycopg import sql

from insights.metrics.query import Window
from insights.metrics.reading import Placed, Placement
from integrations.facts.ai import ENROLMENTS

NOT_YET = "This time has not come yet."
NO_SOURCE = "No telemetry had been received by then."
NO_SOURCE_EVER = "No telemetry has been received yet. Connect an agent to see figures here."
NOTHING = "Nothing was found in this time."

_SINCE = {
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


def connected_since(placements: Iterable[Placement]) -> Mapping[Placement, date | None]:
    """The first local day from which somebody of the scope sends telemetry; None where nobody ever did."""
    found: dict[Placement, date | None] = {}
    with connection.cursor() as cursor:
        for placement in placements:
            cursor.execute(
                _SINCE[placement.placed].format(enrolments=sql.SQL(ENROLMENTS.sql)), {"ids": list(placement.ids)}
            )
            found[placement] = cursor.fetchone()[0]
    return found


def why_no_data(window: Window, since: date | None, today: date) -> str:
    """Why nothing stands in a window; NOTHING where a source is connected, so that a count of it is 0."""
    if window.start > today:
        return NOT_YET
    if since is None:
        return NO_SOURCE_EVER
    return NO_SOURCE if window.end <= since else NOTHING
