"""Pagination of sheets: long tables and commentaries continue on further sheets.

Heights and widths are estimates of print; a sheet that turns out longer is printed on two pages.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, TypeVar

from core.markdown import as_html, blocks_of
from programs.models import SectionKey

T = TypeVar("T")

# Estimated heights in pixels: a sheet below its lead, a line, and a row's height beyond its lines.
ROOM, LINE, ROW = 520, 20, 18
NAME_WIDTH, ACTION_WIDTH, WHY_WIDTH, RISK_WIDTH = 40, 46, 46, 58  # characters per line in these columns
TABLE_BESIDE = 0.6  # share of their usual characters that the columns of a table have next to a commentary
# Estimated characters per line in print: in a box next to charts or a table, and in the two columns of a sheet of its
# own.
CHARACTERS_BESIDE, CHARACTERS_A_COLUMN = 30, 64
LINES_ON_SHEET = 46
TABLES = ("objectives", "tickets", "decided", "deliveries", "findings")
# The lines of commentary that fit on the sheet with the figures; a longer one continues on sheets of its own.
LINES_BESIDE = {
    "highlights": 5,
    "figures": 14,
    "risks": 20,
    "asks": 14,
    "bottlenecks": 24,
    "next": 14,
    "points": 22,
    **dict.fromkeys(TABLES, 22),
}
WIDTHS = dict.fromkeys(("figures", "bottlenecks", "points", *TABLES), CHARACTERS_BESIDE)
# Pixels of two tables on one sheet, in smaller print: the room of both, a line, a row's height beyond its lines, a box
# around a commentary, the second table's title and lead, and the note below objectives.
SHARED_ROOM, SHARED_LINE, SHARED_ROW, SHARED_BOX, SHARED_HEADING, SHARED_NOTE = 560, 18, 9, 34, 62, 28


@dataclass(frozen=True)
class Sheet:
    """`kind` names the template of its body; `content` is that template's context."""

    key: str
    kind: str
    title: str
    lead: str = ""
    content: Mapping[str, Any] | None = None
    commentary: str = ""  # HTML from core.markdown
    lines: int = 0  # total over a table's rows
    lines_beside: int = 0  # of the commentary
    number: int = 1  # among the section's sheets
    page: int = 0
    below: Sheet | None = None  # a second table, if both fit

    @property
    def anchor(self) -> str:
        """The sheet's anchor; the section's key for its first sheet, so that links stay valid."""
        return self.key if self.number == 1 else f"{self.key}-{self.number}"

    @property
    def template(self) -> str:
        return f"programs/qbr/sheets/{self.kind}.html"


def paged(first: Sheet, rows: Sequence[Any], lines: Sequence[int], *, columns: int = 1) -> list[Sheet]:
    """Sheets like the first, as many as the rows need and at least one; `lines` are the rows' numbers of lines."""
    parts = _even(rows, [ROW + LINE * number for number in lines], ROOM * columns)
    starts = accumulate((len(part) for part in parts), initial=0)
    in_all = sum(lines)
    return [
        replace(
            first,
            title=first.title if start == 0 else f"{SectionKey(first.key).label}, continued",
            lead=first.lead if start == 0 else f"{start + 1}–{start + len(part)} of {len(rows)}.",
            content={**(first.content or {}), "rows": part, "is_last": part is parts[-1]},
            lines=in_all,
        )
        for start, part in zip(starts, parts, strict=False)
    ]


def _even(items: Sequence[T], heights: Sequence[int], room: int) -> list[list[T]]:
    """The items in order, on as few sheets as possible, filled evenly so that no single row is left over."""
    fewest = len(_filled(items, heights, room))
    rooms = range(sum(heights) // fewest, room, LINE)
    return next((found for less in rooms if len(found := _filled(items, heights, less)) == fewest), None) or _filled(
        items, heights, room
    )


def _filled(items: Sequence[T], heights: Sequence[int], room: int) -> list[list[T]]:
    """The items in order, on as few sheets as possible, at least one."""
    sheets: list[list[T]] = [[]]
    left = room
    for item, height in zip(items, heights, strict=True):
        if height > left and sheets[-1]:
            sheets.append([])
            left = room
        sheets[-1].append(item)
        left -= height
    return sheets


def wrapped(text: str, width: float) -> int:
    return max(1, math.ceil(len(text) / width))


def table_width(commentary: str) -> float:
    """The share of its usual characters per line that a table has."""
    return TABLE_BESIDE if commentary.strip() else 1.0


def with_commentary(sheets: Sequence[Sheet], commentary: str) -> tuple[list[Sheet], list[Sheet]]:
    """The sheets with the part of the commentary that fits next to their figures, and further sheets with the rest."""
    if not commentary.strip():
        return list(sheets), []
    beside, *others = sheets
    width = WIDTHS.get(beside.kind, CHARACTERS_A_COLUMN)
    parts = _parts(blocks_of(commentary), LINES_BESIDE[beside.kind], width)
    if parts[0]:
        lines = sum(_lines(block, width) for block in blocks_of(parts[0])) - 1  # no gap after the last
        beside = replace(beside, commentary=as_html(parts[0]), lines_beside=lines)
    further = [
        Sheet(beside.key, "text", f"{sheets[0].title}, commentary", commentary=as_html(part))
        for part in parts[1:]
        if part
    ]
    return [beside, *others], further


def joined(sections: Iterable[Sequence[Sheet]]) -> list[Sheet]:
    """The sheets of all sections; two consecutive short tables share one."""
    sheets: list[Sheet] = []
    whole = False  # whether the last sheet is a complete table
    for section in sections:
        is_table = len(section) == 1 and section[0].kind in TABLES
        if (
            is_table
            and whole
            and _shared_height(sheets[-1]) + SHARED_HEADING + _shared_height(section[0]) < SHARED_ROOM
        ):
            sheets[-1] = replace(sheets[-1], below=section[0])
            whole = False
        else:
            sheets += section
            whole = is_table if section else whole
    return sheets


def _shared_height(sheet: Sheet) -> int:
    content = sheet.content or {}
    note = SHARED_NOTE if content.get("without") else 0
    table = SHARED_ROW * len(content.get("rows", ())) + SHARED_LINE * sheet.lines + note
    return max(table, SHARED_BOX + SHARED_LINE * sheet.lines_beside)


def _parts(blocks: Sequence[str], room: int, width: int) -> list[str]:
    """The first blocks, as many as fit next to the figures, then the others in parts that fit on a sheet each."""
    ends = accumulate(_lines(block, width) for block in blocks)
    number = sum(end <= room for end in ends)
    others = blocks[number:]
    parts = _filled(others, [_lines(block, CHARACTERS_A_COLUMN) for block in others], LINES_ON_SHEET)
    return ["\n\n".join(blocks[:number]), *("\n\n".join(part) for part in parts)]


def _lines(block: str, width: int) -> int:
    """Estimates the printed lines of a block, including the gap after it."""
    return 1 + sum(max(1, math.ceil(len(line) / width)) for line in block.splitlines())
