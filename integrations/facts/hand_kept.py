"""Values of hand-kept metrics, as a relation for the metric engine."""

from __future__ import annotations

from integrations.facts.relation import STOCK_DAY, Relation, Stock
from integrations.models import FactFamily

HAND_KEPT_VALUES = Relation(
    name="hand_kept_values",
    family=FactFamily.HAND_KEPT,
    open_as_in_tools=True,
    day=STOCK_DAY,
    stock=Stock("days"),
    unit="unit_id",
    fact="value_id",
    fact_is_row=True,
    sql="""
        SELECT entered.id AS value_id,
               entered.metric_id,
               NULL::bigint AS person_id,
               entered.unit_id,
               entered.value,
               entered.day AS entered_on,
               entered.entered_by_id AS entered_by,
               entered.entered_via,
               entered.note,
               datemultirange(daterange(
                   entered.day,
                   least(
                       lead(entered.day) OVER (PARTITION BY entered.metric_id, entered.unit_id ORDER BY entered.day),
                       entered.day + metric.valid_days
                   )
               )) AS days
        FROM integrations_handkeptvalue entered
        JOIN integrations_handkeptmetric metric ON metric.id = entered.metric_id
    """,
)
"""One row per entered value, for the days on which it holds: from its day until the next one of the same metric and
unit, for at most the metric's `valid_days`.

unit_id is null for a value of the whole organisation.  entered_by is the id of an account.
"""
