"""Tables of figures that a parameter sorts: a column's key, with a minus for descending."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True)
class Heading:
    """A column's heading in templates/components/headings.html."""

    label: str
    url: str  # the URL that sorts the table by it; empty: it cannot be sorted by it
    sorted: str  # "", "ascending" or "descending"
    number: bool
    stick: bool = False  # stays in sight when the table scrolls
    note: str = ""


@dataclass(frozen=True)
class FigureCell:
    text: str  # empty: no data
    note: str = ""  # what it lacks, why there is none, or what is hidden
    sorted: bool = False
    fraction: float | None = None  # 0–1, of the longest bar of the column
    rows_url: str = ""  # of the rows behind it, which open beside the page as `label`
    label: str = ""
    value: float | None = None  # the length of its bar


def headings(
    labels: Mapping[str, str],
    sort: str,
    url: Callable[[str], str],
    *,
    texts: Collection[str],
    stick: str,
    first: Callable[[str], str] | None = None,
    notes: Mapping[str, str] | None = None,
) -> list[Heading]:
    """The headings of the columns by key; `url` is the table's URL for a sort.

    Columns of `texts` sort ascending first, others descending, unless `first` says otherwise; the next click reverses.
    """
    direction = {sort.removeprefix("-"): "descending" if sort.startswith("-") else "ascending"}

    def next_sort(key: str) -> str:
        begins = first(key) if first else key if key in texts else f"-{key}"
        reverse = begins.removeprefix("-") if begins.startswith("-") else f"-{begins}"
        return reverse if sort == begins else begins

    return [
        Heading(
            label=label,
            url=url(next_sort(key)),
            sorted=direction.get(key, ""),
            number=key not in texts,
            stick=key == stick,
            note=(notes or {}).get(key, ""),
        )
        for key, label in labels.items()
    ]


def with_bars(
    rows: Sequence[Sequence[FigureCell]], keys: Sequence[str], sort: str, *, otherwise: str
) -> list[list[FigureCell]]:
    """The cells of the columns `keys`, with bars in the one that sorts the table, or in `otherwise` if none of them
    does.
    """
    by = sort.removeprefix("-")
    barred = by if by in keys else otherwise
    longest = max((row[keys.index(barred)].value or 0.0 for row in rows), default=0.0)

    def marked(cell: FigureCell, key: str) -> FigureCell:
        has_bar = key == barred and longest and cell.value is not None
        return replace(cell, sorted=key == by, fraction=(cell.value or 0.0) / longest if has_bar else None)

    return [[marked(cell, key) for cell, key in zip(row, keys, strict=True)] for row in rows]


def sorted_by_value(rows: Sequence[Row], value: Callable[[Row], float | None], *, descending: bool) -> list[Row]:
    """The rows sorted by value; those without a value come last in both directions."""
    known = [(row, number) for row in rows if (number := value(row)) is not None]
    known.sort(key=lambda item: item[1], reverse=descending)
    return [*(row for row, _ in known), *(row for row in rows if value(row) is None)]
