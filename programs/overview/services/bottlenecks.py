"""The nine bottlenecks by process, tooling and people, their signals in the data, and the queries for the bottleneck of
lead time.

A signal is a hypothesis.  People are rarely the cause: process and tooling come first, and a signal among people is
shown next to those that may explain it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from django.db.models import Count

from core import sql
from insights.catalogue.registry import get
from insights.pages.answers import Answers, PageQuery
from insights.pages.delivery.lead_time import STAGE_QUERIES
from insights.query.enums import UnitOfMeasure
from insights.query.query import MetricValue, Window
from insights.ui import tiles
from insights.ui.agreements import Agreement
from insights.ui.filters import Filters
from programs.models import BottleneckKind
from programs.overview.services.steps import PROGRAM_PAGE
from programs.tickets.queries import TicketFilters

MUCH_REORGANISED = 20  # percent of the people in a quarter of a year: a fifth makes a new team
WORTH_SAYING = 0.1  # a tenth of the previous value: less is no signal
NOBODY = "No people of an Org Tree are in scope."


class Judgement(Enum):
    """The judgement of a signal, worst first."""

    BEYOND = "beyond"  # the threshold
    WORSE = "worse"  # than in the previous window
    QUIET = "quiet"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Bottleneck:
    """One of the nine bottlenecks.  `keys` are its metrics; reorganisations are read from Org Trees."""

    key: str
    kind: BottleneckKind
    name: str
    asks: str
    keys: tuple[str, ...]


REORGANISATION = "reorganisation"
BOTTLENECKS = (
    Bottleneck(
        "repetitive-work",
        BottleneckKind.PROCESS,
        "Repetitive, low-value work",
        "How much completed work repairs existing work?",
        ("bug.ratio", "dora.rework_rate"),
    ),
    Bottleneck(
        "planning",
        BottleneckKind.PROCESS,
        "Planning and context switching",
        "How much is in progress at once, and how long does it wait?",
        ("wip.count", "wip.age"),
    ),
    Bottleneck(
        "communication",
        BottleneckKind.PROCESS,
        "Communication",
        "How long does work wait for other people?",
        ("pr.pickup_time", "pr.review_time"),
    ),
    Bottleneck(
        "manual-effort",
        BottleneckKind.TOOLING,
        "Manual effort",
        "How long do finished changes wait for machines and manual steps?",
        ("ci.wait_per_pull_request", "pr.merge_time"),
    ),
    Bottleneck(
        "reliability",
        BottleneckKind.TOOLING,
        "Security, reliability, governance",
        "How often does a change fail, or bypass review?",
        ("dora.change_failure_rate", "pr.unreviewed_rate"),
    ),
    Bottleneck(
        "disconnected-tools",
        BottleneckKind.TOOLING,
        "Tools that don't work together",
        "Do tools link to each other's work, and are their results reliable?",
        ("pr.linked_rate", "ci.flaky_rate"),
    ),
    Bottleneck(
        "allocation",
        BottleneckKind.PEOPLE,
        "Allocation of people",
        "Do many people depend on a few?",
        ("review.load_concentration",),
    ),
    Bottleneck(
        "capability",
        BottleneckKind.PEOPLE,
        "Capability and output",
        "How much code is soon rewritten?",
        ("code.rework_rate",),
    ),
    Bottleneck(
        REORGANISATION,
        BottleneckKind.PEOPLE,
        "Reorganisation",
        "How many people changed teams?",
        (),
    ),
)
METRICS = tuple(dict.fromkeys(key for bottleneck in BOTTLENECKS for key in bottleneck.keys))


@dataclass(frozen=True)
class Sign:
    """A metric's value in the current and the previous window, and the threshold that it is compared with.

    `reason` says why there is no value.
    """

    key: str
    judgement: Judgement
    figure: MetricValue
    before: MetricValue
    threshold: float | None
    reason: str

    @property
    def unit_of_measure(self) -> UnitOfMeasure:
        return get(self.key).unit

    @property
    def sample_size(self) -> int | None:
        return None if self.figure.withheld else self.figure.sample_size


@dataclass(frozen=True)
class BottleneckAssessment:
    """One of the nine bottlenecks.  `moved` is only set for reorganisations."""

    bottleneck: Bottleneck
    signs: Sequence[Sign]
    moved: Reorganisation | None = None

    @property
    def judgement(self) -> Judgement:
        """The judgement of the worst signal."""
        judgements = {sign.judgement for sign in self.signs} | ({judged(self.moved)} if self.moved else set())
        return next(judgement for judgement in Judgement if judgement in judgements)

    @property
    def is_sign(self) -> bool:
        return self.judgement in (Judgement.BEYOND, Judgement.WORSE)


@dataclass(frozen=True)
class Bottlenecks:
    """The nine bottlenecks in order; `tickets` counts the open ones by kind."""

    answers: Answers
    assessments: Sequence[BottleneckAssessment]
    tickets: Mapping[str, int]

    @property
    def explained_elsewhere(self) -> bool:
        """Whether process or tooling shows a signal, which often explains those of people."""
        return any(
            assessment.is_sign for assessment in self.assessments if assessment.bottleneck.kind != BottleneckKind.PEOPLE
        )


def bottlenecks_of(filters: Filters) -> Bottlenecks:
    """The nine bottlenecks with their signals.

    Three queries besides those of the metrics: for tickets, for benchmarks, and for people who changed units.
    """
    figures = PROGRAM_PAGE.read(
        filters, [*(PageQuery(key, compared=True, whole=True) for key in METRICS), *STAGE_QUERIES]
    )
    moved = reorganisation(filters.scope.unit, filters.window)
    assessments = [
        BottleneckAssessment(
            bottleneck,
            [_sign(figures, key) for key in bottleneck.keys],
            moved if bottleneck.key == REORGANISATION else None,
        )
        for bottleneck in BOTTLENECKS
    ]
    narrowed = {"unit": filters.scope.unit, "state": "standing"}
    tickets = TicketFilters(narrowed, filters.access, today=filters.today).qs
    counted = tickets.order_by().values("kind").annotate(number=Count("pk"))
    return Bottlenecks(figures, assessments, {row["kind"]: row["number"] for row in counted})


def judged(moved: Reorganisation) -> Judgement:
    if moved.share is None:
        return Judgement.UNKNOWN
    return Judgement.WORSE if moved.share > MUCH_REORGANISED else Judgement.QUIET


def _sign(figures: Answers, key: str) -> Sign:
    metric, figure, before = get(key), figures.figure(key), figures.figure_before(key)
    if figure.value is None:
        reason = figure.reason or "" if figure.withheld else figures.nothing() or figure.reason or ""
        return Sign(key, Judgement.UNKNOWN, figure, before, None, reason)
    agreed = _agreed(figures, key)
    if agreed is not None and agreed.threshold is not None:
        is_beyond = figure.value < agreed.threshold if agreed.higher_is_better else figure.value > agreed.threshold
        judgement = Judgement.BEYOND if is_beyond else Judgement.QUIET
        return Sign(key, judgement, figure, before, agreed.threshold, "")
    moved = before.value is not None and abs(figure.value - before.value) >= abs(before.value) * WORTH_SAYING
    change = tiles.change(metric, figure, before, "", figures.answer(key).series) if moved else None
    is_worse = change is not None and change.judgement == "worse"
    return Sign(key, Judgement.WORSE if is_worse else Judgement.QUIET, figure, before, None, "")


def _agreed(figures: Answers, key: str) -> Agreement | None:
    """The benchmark in force; None if it is for a statistic other than the one shown, or for single periods."""
    benchmark = figures.agreed.get(key)
    if benchmark is None or benchmark.period is not None or not benchmark.is_of_statistic(figures.answer(key).query):
        return None
    return benchmark


@dataclass(frozen=True)
class Reorganisation:
    """The people in a unit (or its whole tree) on any day of the window, and those who changed units in it."""

    people: int
    moved: int

    @property
    def share(self) -> float | None:
        """The share in percent, 0 to 100; None if there are no people."""
        return self.moved / self.people * 100 if self.people else None

    @property
    def reason(self) -> str:
        """The reason why there is no share."""
        return "" if self.people else NOBODY


def reorganisation(unit: str | None, window: Window) -> Reorganisation:
    """Counts moves in the unit with that slug and all units below it; without a slug, in the first Org Tree in use.

    Joiners, leavers and a tree's first import do not count as moved.
    """
    ((people, moved),) = sql.rows(_MOVED, {"unit": unit, "from": window.start, "to": window.end})
    return Reorganisation(people, moved)


# People who left one unit and were in another one of the same tree from that day: the first range's end is the second's
# start.
_MOVED = """
    WITH members AS (
        SELECT DISTINCT placement.person_id, placement.tree_id
        FROM orgtree_placement placement
        WHERE placement.during && daterange(%(from)s, %(to)s)
          AND CASE WHEN %(unit)s::text IS NULL
                   THEN placement.tree_id = (
                       SELECT id FROM orgtree_orgtree WHERE archived_at IS NULL ORDER BY created_at, id LIMIT 1
                   )
                   ELSE placement.ancestor_id = (SELECT id FROM orgtree_unit WHERE slug = %(unit)s) END
    )
    SELECT count(*), count(*) FILTER (WHERE EXISTS (
        SELECT FROM orgtree_membership before
        JOIN orgtree_membership after
            ON after.tree_id = before.tree_id AND after.person_id = before.person_id
               AND lower(after.during) = upper(before.during) AND after.unit_id <> before.unit_id
        WHERE before.person_id = members.person_id AND before.tree_id = members.tree_id
          AND upper(before.during) > %(from)s AND upper(before.during) < %(to)s
    ))
    FROM members
"""
