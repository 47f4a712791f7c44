"""Since when a source is connected: before that a count is no data, from then on nothing is 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from django.db import connection
from psycopg import sql

from insights.metrics.plan import Placement
from insights.metrics.reading import Placed
from integrations.facts.ai import ENROLMENTS

_SINCE = {
    Placed.ANYBODY: sql.SQL("SELECT min(enrolled_on) FROM ({enrolments}) AS source"),
    Placed.PERSON: sql.SQL("SELECT min(enrolled_on) FROM ({enrolments}) AS source WHERE person_id = %(id)s"),
    Placed.UNIT: sql.SQL(
        """
        SELECT min(greatest(source.enrolled_on, lower(placement.during)))
        FROM ({enrolments}) AS source
        JOIN orgtree_placement placement ON placement.person_id = source.person_id
         AND (upper(placement.during) IS NULL OR upper(placement.during) > source.enrolled_on)
        WHERE placement.ancestor_id = %(id)s
        """
    ),
}


def connected_since(placements: Iterable[Placement]) -> Mapping[Placement, date | None]:
    """The first local day from which somebody of the scope sends telemetry; None where nobody ever did."""
    found: dict[Placement, date | None] = {}
    with connection.cursor() as cursor:
        for placement in placements:
            cursor.execute(
                _SINCE[placement.placed].format(enrolments=sql.SQL(ENROLMENTS.sql)), {"id": placement.unit_or_person}
            )
            found[placement] = cursor.fetchone()[0]
    return found
