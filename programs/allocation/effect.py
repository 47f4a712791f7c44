"""The effect of a rule before it is saved: how it would classify the last quarter's work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from insights.query.windows import local_today, quarter_name, quarter_of
from integrations.delivery.allocation.measure import PreviewRow, preview, rule_document, stored_rules, stored_shares
from integrations.models import AllocationRule, InvestmentCategory, WorkItem
from integrations.models.allocation import UNLINKED, UNMATCHED
from orgtree.access.access import Access

LISTED = 8
NEW = 0  # the id of an unsaved rule


@dataclass(frozen=True)
class CategoryEffect:
    """A category's items and share of people's time, now and with the rule; the share is withheld below k people."""

    name: str
    items: int
    items_after: int
    share: float | None
    share_after: float | None

    @property
    def changes(self) -> bool:
        return (self.items, self.share) != (self.items_after, self.share_after)


@dataclass(frozen=True)
class Effect:
    quarter: str
    people: int
    categories: Sequence[CategoryEffect]
    matched: int  # items
    examples: Sequence[WorkItem]
    unmatched: Sequence[WorkItem]
    is_hidden: bool  # shares of time

    @property
    def warning(self) -> str:
        """A warning about an effect that the rule's author may not intend; empty if there is none."""
        if not self.people:
            return "There was no work in this quarter to try the rule on."
        items = sum(category.items for category in self.categories)
        if not any(category.changes for category in self.categories):
            return "The rule changes nothing: it matches no work of this quarter, or earlier rules match it."
        if items and self.matched >= items:
            return "The rule matches every item: no later rule counts."
        return ""


def effect_of(draft: AllocationRule | None, access: Access) -> Effect:
    """The last quarter's allocation under the draft rule, stored or new; with None, under the current rules."""
    start, end = quarter_of(quarter_of(local_today()).start - timedelta(days=1))
    unit = draft.unit_id if draft else None
    rows = rows_after = stored_shares(start, end, unit=unit)
    if draft is not None:
        others = [rule for rule in stored_rules() if rule["id"] != draft.pk]
        rows_after = preview([*others, rule_document(draft)], start, end, unit=unit)
    names = dict(InvestmentCategory.objects.values_list("pk", "name"))
    people = len({row.person for row in rows})
    few = access.is_few(people) or any(
        access.is_few(len(found)) for found in (*_people(rows).values(), *_people(rows_after).values())
    )
    now, then = _sums(rows), _sums(rows_after)
    matched = [row.item for row in rows_after if draft is not None and row.rule == (draft.pk or NEW) and row.item]
    loose = [row.item for row in rows_after if row.item and row.category is None]
    labels: list[tuple[int | str, str]] = [*names.items(), (UNMATCHED, UNMATCHED), (UNLINKED, UNLINKED)]
    return Effect(
        quarter=quarter_name(start),
        people=people,
        categories=[
            CategoryEffect(
                label,
                len(now[key][1]),
                len(then[key][1]),
                None if few else now[key][0] * 100,
                None if few else then[key][0] * 100,
            )
            for key, label in labels
            if key in now or key in then or isinstance(key, int)
        ],
        matched=len(set(matched)),
        examples=_items(matched),
        unmatched=_items(loose),
        is_hidden=few and people > 0,
    )


def _key(row: PreviewRow) -> int | str:
    return row.category if row.category is not None else UNMATCHED if row.item else UNLINKED


def _people(rows: Sequence[PreviewRow]) -> dict[int | str, set[int]]:
    people: dict[int | str, set[int]] = defaultdict(set)
    for row in rows:
        people[_key(row)].add(row.person)
    return people


def _sums(rows: Sequence[PreviewRow]) -> dict[int | str, tuple[float, set[int]]]:
    """Share of all days, and ids of items, by category."""
    whole = sum(row.days for row in rows) or 1.0
    sums: dict[int | str, tuple[float, set[int]]] = defaultdict(lambda: (0.0, set()))
    for row in rows:
        days, items = sums[_key(row)]
        sums[_key(row)] = (days + row.days / whole, items | ({row.item} if row.item else set()))
    return sums


def _items(ids: Sequence[int | None]) -> list[WorkItem]:
    """The items that occur in the most rows, at most LISTED."""
    counts: dict[int, int] = defaultdict(int)
    for pk in ids:
        if pk is not None:
            counts[pk] += 1
    first = sorted(counts, key=lambda pk: (-counts[pk], pk))[:LISTED]
    found = WorkItem.objects.in_bulk(first)
    return [found[pk] for pk in first if pk in found]
