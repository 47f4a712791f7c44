"""A story as its page prints it: the timeline by day, the stages as bars, the links by what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.urls import reverse
from django.utils import timezone

from insights.pages.records import words
from insights.ui import wording
from integrations.delivery.records.parts import Happened, Happening, Link, RecordKind, RecordName, Stage, Story

FEWEST_GATHERED = 3  # commits in a row of one person are one entry
STATUS_IS_NEWS = frozenset({Happened.RUN, Happened.STATUS, Happened.FINISHED})
LONG_GAP_SECONDS = 20 * 3600  # a night is no gap


@dataclass(frozen=True)
class Named:
    """A record to print: a link to its page, or to its own tool, or its name alone."""

    text: str
    url: str
    tool_url: str


@dataclass(frozen=True)
class Entry:
    time: str
    icon: str
    tone: str  # "", "good" or "bad"
    who: str
    text: str
    detail: str
    record: Named | None
    note: str
    gathered: Sequence[str] = ()


@dataclass(frozen=True)
class Day:
    name: str
    gap: str  # how long nothing had happened before it; empty after a night
    entries: Sequence[Entry]


@dataclass(frozen=True)
class StageLine:
    """A stage: where its bar lies on the whole way, both from 0 to 1, and how long it took, or why that is unknown."""

    name: str
    span: str
    duration: str
    missing: str
    start: float
    fraction: float
    is_longest: bool
    is_whole: bool


@dataclass(frozen=True)
class LinkLine:
    record: Named
    method: str
    at: str


@dataclass(frozen=True)
class LinkGroup:
    name: str
    links: Sequence[LinkLine]


def timeline(story: Story) -> list[Day]:
    days: list[Day] = []
    before: datetime | None = None
    for name, of_day in groupby(story.happenings, key=lambda each: wording.day(timezone.localdate(each.at))):
        happenings = list(of_day)
        days.append(Day(name, _gap(before, happenings[0].at), list(_entries(story.name.kind, happenings))))
        before = happenings[-1].at
    return days


def _gap(before: datetime | None, after: datetime) -> str:
    if before is None or (after - before).total_seconds() < LONG_GAP_SECONDS:
        return ""
    return f"{wording.duration((after - before).total_seconds())} later"


def _entries(kind: RecordKind, happenings: Sequence[Happening]) -> Iterator[Entry]:
    for _, same in groupby(happenings, key=lambda each: (each.what, each.by and each.by.pk)):
        run = list(same)
        if run[0].what is Happened.COMMIT and len(run) >= FEWEST_GATHERED:
            yield _gathered(run)
        else:
            yield from (_entry(kind, each) for each in run)


def _gathered(commits: Sequence[Happening]) -> Entry:
    first, last = timezone.localtime(commits[0].at), timezone.localtime(commits[-1].at)
    return Entry(
        time=f"{first:%H:%M}–{last:%H:%M}",
        icon=words.ICONS[Happened.COMMIT],
        tone="",
        who=words.who(commits[0].by) or words.SOMEBODY,
        text=f"made {len(commits)} commits",
        detail="",
        record=None,
        note="",
        gathered=[commit.detail or commit.status[:10] for commit in commits],
    )


def _entry(kind: RecordKind, each: Happening) -> Entry:
    by_somebody = each.what in words.DONE_BY_SOMEBODY
    verb = words.verb(kind, each)
    return Entry(
        time=f"{timezone.localtime(each.at):%H:%M}",
        icon=words.ICONS.get(each.what, "circle-dot"),
        tone="good" if each.what in words.GOOD else "bad" if each.what in words.BAD or _failed(each) else "",
        who=(words.who(each.by) or words.SOMEBODY) if by_somebody else "",
        text=verb,
        detail=_detail(each),
        record=named(each.record) if each.record else None,
        note=_note(each, by_somebody=by_somebody),
    )


def _failed(each: Happening) -> bool:
    return each.status == "failure"


def _detail(each: Happening) -> str:
    if each.of is not None:
        return words.who(each.of)
    if each.what is Happened.STATUS:
        return words.status_words(each.detail or each.status)
    return each.detail


def _note(each: Happening, *, by_somebody: bool) -> str:
    """What stands behind an entry in small letters."""
    parts = []
    status = words.status_words(each.status)
    if each.what in STATUS_IS_NEWS and status not in ("", "other", words.status_words(each.detail.lower())):
        parts.append(status)
    if each.by is not None and not by_somebody:
        parts.append(f"by {words.who(each.by)}")
    if not each.counts:
        parts.append("counts in no stage")
    return ", ".join(parts)


def stage_lines(stages: Sequence[Stage]) -> list[StageLine]:
    known = [stage for stage in stages if stage.seconds is not None and stage.start and stage.end]
    first = min((each.start for each in known if each.start), default=None)
    last = max((each.end for each in known if each.end), default=None)
    whole = (last - first).total_seconds() if first and last else 0.0
    parts = [each for each in known if each.name not in words.WHOLES]
    longest = max(parts, key=lambda each: each.seconds or 0.0, default=None) if len(parts) > 1 else None

    def line(each: Stage) -> StageLine:
        name, span = words.STAGES[each.name]
        placed = first is not None and each.start is not None and each.seconds is not None and whole > 0
        return StageLine(
            name=name,
            span=span,
            duration="" if each.seconds is None else str(wording.duration(each.seconds)),
            missing=words.WHY_MISSING[each.missing] if each.missing else "",
            start=(each.start - first).total_seconds() / whole if placed and each.start and first else 0.0,
            fraction=(each.seconds or 0.0) / whole if placed else 0.0,
            is_longest=each is longest,
            is_whole=each.name in words.WHOLES,
        )

    return [line(stage) for stage in stages]


def link_groups(links: Sequence[Link]) -> list[LinkGroup]:
    """By what the links say, in the order in which that comes first; methods by which one is known stand together."""
    groups: dict[str, dict[RecordName, list[Link]]] = {}
    for link in links:
        groups.setdefault(link.relation, {}).setdefault(link.record, []).append(link)
    return [
        LinkGroup(
            words.RELATIONS[relation],
            [
                LinkLine(
                    record=named(record),
                    method=", ".join(words.method_words(each.method) for each in found if each.method),
                    at=moment(found[0].at),
                )
                for record, found in records.items()
            ],
        )
        for relation, records in groups.items()
    ]


def named(name: RecordName) -> Named:
    """Only what may be opened has the address of its page; its tool shows it to whoever may see it there."""
    url = reverse(words.ROUTES[name.kind], args=[name.pk]) if name.may_be_opened and name.kind in words.ROUTES else ""
    return Named(words.called(name), url, words.tool_url(name.url))


def moment(at: datetime | None) -> str:
    if at is None:
        return ""
    local = timezone.localtime(at)
    return f"{wording.day(local.date())}, {local:%H:%M}"
