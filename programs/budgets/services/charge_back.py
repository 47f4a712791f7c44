"""Spend by cost centre and month, for charge-back.  A cost centre is the value of an attribute of people.

The rows add up to the metric's total: spend of people without the attribute, and spend matched to nobody, is in the row
*No cost centre*.  So are centres that are withheld from the viewer, and the row's name then says so; the row never
stands for fewer people than the minimum group size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from core.write_errors import FieldError
from insights.catalogue.agents import AGENT_NAMES
from insights.privacy.month_spend import SPEND, UNPRICED
from insights.privacy.visible import visible_together
from insights.query.query import Answer, Dimension, Granularity, MetricValue, Query, Scope, Window
from orgtree.access.access import Access
from orgtree.models import Attribute, PersonAttribute
from programs.budgets.queries.months import month_of, written
from programs.teams.queries import program_settings

MOST_CENTRES = 500
NO_CENTRE = "No cost centre"
NONE_OR_WITHHELD = "No cost centre, and centres of too few people"


@dataclass(frozen=True)
class CentreRow:
    """`amounts` are by month; None if an amount is withheld, or no source is connected."""

    centre: str
    amounts: Sequence[float | None]

    @property
    def total(self) -> float | None:
        known = [amount for amount in self.amounts if amount is not None]
        return sum(known) if known else None


@dataclass(frozen=True)
class ChargeBack:
    attribute: Attribute
    unit: str | None
    agent: str  # empty: all
    months: Sequence[date]
    rows: Sequence[CentreRow]
    total: CentreRow
    unpriced: Sequence[float]  # tokens by month that the amounts do not include
    reason: str  # why there is no total


def needed_attribute(slug: str) -> Attribute:
    """`chosen_attribute`, but raises FieldError if there is none."""
    attribute = chosen_attribute(slug)
    if attribute is None:
        raise FieldError("attribute", "Name the attribute of people, or ask an admin to set the cost centre.")
    return attribute


def chosen_attribute(slug: str) -> Attribute | None:
    """The cost centre attribute given by the parameter, else by the settings; None without one.  Raises FieldError."""
    if not slug:
        return program_settings().cost_centre
    attribute = Attribute.objects.filter(slug=slug).first() if "\x00" not in slug else None
    if attribute is None:
        raise FieldError("attribute", f"People have no attribute “{slug[:80]}”.")
    return attribute


def chosen_agent(slug: str) -> str:
    """The agent with this slug; empty for all agents.  Raises FieldError."""
    if slug and slug not in AGENT_NAMES:
        raise FieldError("agent", f"It is one of {', '.join(AGENT_NAMES)}.")
    return slug


def charge_back(
    access: Access, attribute: Attribute, months: Sequence[date], unit: str | None = None, agent: str = ""
) -> ChargeBack:
    """Spend by value of the attribute and month.  Raises like `visible_series`."""
    window = Window(months[0], month_of(months[-1]).end)
    centres = _centres(attribute, window)
    facets = {Dimension.AGENT: (agent,)} if agent else {}
    whole = Query(SPEND, window, granularity=Granularity.MONTH, scope=Scope(unit=unit), facets=facets)
    queries = [replace(whole, scope=replace(whole.scope, where={attribute.slug: (centre,)})) for centre in centres]
    answers = visible_together(access, series=[whole, replace(whole, key=UNPRICED), *queries]).series
    total, unpriced, of_centres = answers[0], answers[1], answers[2:]
    columns = [
        _column(total.series[place], [answer.series[place] for answer in of_centres], access)
        for place in range(len(months))
    ]
    shown = [CentreRow(centre, [column.amounts[row] for column in columns]) for row, centre in enumerate(centres)]
    hides = any(column.hides for column in columns)
    rest = CentreRow(NONE_OR_WITHHELD if hides else NO_CENTRE, [column.rest for column in columns])
    return ChargeBack(
        attribute=attribute,
        unit=unit,
        agent=agent,
        months=months,
        rows=[*(row for row in shown if row.total), rest],
        total=CentreRow("Total", [_amount(value) for value in total.series]),
        unpriced=[value.value or 0 for value in unpriced.series],
        reason=_reason(total),
    )


@dataclass(frozen=True)
class _Column:
    """One month: the centres' amounts, and the rest of the total."""

    amounts: Sequence[float | None]
    rest: float | None
    hides: bool


def _column(total: MetricValue, centres: Sequence[MetricValue], access: Access) -> _Column:
    if total.withheld or total.value is None:
        return _Column([None] * len(centres), None, hides=total.withheld)
    shown = {place: value for place, value in enumerate(centres) if not value.withheld and value.value}
    hides = any(value.withheld for value in centres)
    while shown and not access.shows_small_groups:
        left = total.people - sum(value.people for value in shown.values())
        if not (0 < left < access.minimum_group_size or (hides and left < access.minimum_group_size)):
            break
        del shown[min(shown, key=lambda place: (shown[place].people, place))]
        hides = True
    amounts = [shown[place].value if place in shown else None for place in range(len(centres))]
    return _Column(amounts, total.value - sum(amount or 0 for amount in amounts), hides)


def _centres(attribute: Attribute, window: Window) -> list[str]:
    """Values held by anybody on any day of the window.  Raises FieldError if there are too many."""
    held = PersonAttribute.objects.filter(attribute=attribute, during__overlap=(window.start, window.end))
    values = list(held.order_by("value").values_list("value", flat=True).distinct()[: MOST_CENTRES + 1])
    if len(values) > MOST_CENTRES:
        raise FieldError("attribute", f"{attribute} has more than {MOST_CENTRES} values, too many for a cost centre.")
    return values


def _amount(value: MetricValue) -> float | None:
    return None if value.withheld else value.value


def _reason(total: Answer) -> str:
    return next((value.reason or "" for value in total.series if value.value is None), "")


def csv_rows(charged: ChargeBack) -> Iterator[Sequence[str | float | None]]:
    """A line for each month and cost centre; amounts in US dollars, to a hundredth of a cent."""
    yield ("month", "unit", "agent", "attribute", "cost_centre", "spend_usd", "note")
    for place, month in enumerate(charged.months):
        for row in (*charged.rows, charged.total):
            amount = row.amounts[place]
            unpriced = charged.unpriced[place] if row is charged.total else 0
            note = f"without {unpriced:,.0f} tokens of models without a price" if unpriced else ""
            if amount is not None or row is charged.total:
                yield (
                    written(month),
                    charged.unit or "",
                    charged.agent,
                    charged.attribute.slug,
                    row.centre,
                    None if amount is None else round(amount, 4),
                    note if amount is not None else charged.reason,
                )


def file_name(charged: ChargeBack) -> str:
    of_agent = f"-{charged.agent}" if charged.agent else ""
    return f"charge-back{of_agent}-{written(charged.months[0])}-to-{written(charged.months[-1])}"
