"""What delivered work items cost by epic and by initiative."""

from __future__ import annotations

from typing import Any

from insights.pages.answers import Answers, PageQuery
from insights.pages.drill import NAMELESS, rows_of_part
from insights.query.query import Dimension
from insights.ui import wording
from integrations.delivery.records.visible import visible_work_items

PER_ITEM = "ai.spend_per_item"
DIMENSIONS = {Dimension.EPIC: "epic", Dimension.INITIATIVE: "initiative"}
BY_ANCESTOR = tuple(PageQuery(PER_ITEM, dimension, whole=True) for dimension in DIMENSIONS)
MOST_LISTED = 20


def ancestor_tables(answers: Answers) -> list[dict[str, Any]]:
    """None where no delivered item has such an ancestor."""
    tables = [_table(answers, dimension) for dimension in DIMENSIONS]
    return [table for table in tables if any(line["title"] or line["name"] for line in table["lines"])]


def _table(answers: Answers, dimension: Dimension) -> dict[str, Any]:
    known = answers.split(PER_ITEM, dimension)
    spend = {name: (figure.value or 0.0) * figure.sample_size for name, figure in known.items()}
    greatest = sorted(spend, key=lambda name: (name in ("", NAMELESS), -spend[name], name))
    named = [name for name in greatest if name not in ("", NAMELESS)]
    items = visible_work_items(answers.filters.access).filter(key__in=named[:MOST_LISTED])
    titles = dict(items.values_list("key", "title"))
    lines = [
        {
            "name": name if name in named else "",
            "title": titles.get(name, ""),
            "url": rows_of_part(answers.filters, PER_ITEM, dimension, name),
            "items": known[name].sample_size,
            "spend": wording.money(spend[name]),
            "per_item": wording.money(known[name].value or 0.0),
        }
        for name in (*named[:MOST_LISTED], *(name for name in greatest if name not in named))
    ]
    hidden, noun = answers.left_out(PER_ITEM, dimension), DIMENSIONS[dimension]
    unlisted = len(named) - MOST_LISTED
    notes = [
        f"{wording.count(unlisted, f'further {noun}')} not listed." if unlisted > 0 else "",
        f"{wording.count(hidden, noun)} hidden: too few people." if hidden else "",
    ]
    return {"noun": noun, "lines": lines, "note": " ".join(filter(None, notes))}
