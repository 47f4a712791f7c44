"""Shortfalls of figures: records that could not be read, priced or placed, and data that stopped arriving.

Each kind has one declaration: the metrics that it affects, and a function that finds it.  The foot of a section, "How
is this computed?" and the API list the same.  Records of people are counted as the policy on small groups allows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from django.urls import reverse

from core.page_links import url_with
from insights.catalogue.agents import agent_name
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.query.measures import AttributedLines, Total
from insights.query.query import Dimension, Query, Scope
from insights.ui import wording
from insights.ui.silences import lacking, silence_title
from insights.ui.tiles import Link
from integrations.delivery.mappings.unconfirmed import (
    NamesInUse,
    WithoutProduction,
    names_in_use,
    repositories_without_production,
    unconfirmed_deployments,
)
from integrations.enums import Kind
from integrations.facts.delivery import LEAD_TIMES
from integrations.facts.left_out import (
    MERGES,
    NOTES,
    SILENCES,
    TELEMETRY,
    UNKNOWN_COMMITS,
    UNPLACED,
    UNREAD_TOKENS,
    left_out,
    unknown_commits,
    unread_tokens,
)
from integrations.models import (
    FAMILY_OF_KIND,
    FactFamily,
    IngestScope,
    IngestToken,
    Silence,
    Stream,
    UnplacedReason,
    UnplacedRecord,
)
from integrations.push.receive import PUSHED_KINDS
from orgtree.access.access import Access

NAMED = 3  # figures that a line names
UNPRICED, UNNAMED = "ai.unpriced_tokens", "ai.requests_without_session"
# Families whose facts are linked with records of a kind, in addition to its own.
LINKED: Mapping[Kind, frozenset[FactFamily]] = {
    Kind.PULL_REQUEST: frozenset({FactFamily.DEPLOYMENT}),
    Kind.INCIDENT: frozenset({FactFamily.DEPLOYMENT}),
    Kind.WORK_ITEM: frozenset({FactFamily.SPRINT, FactFamily.EFFORT}),
}
FAMILIES: Mapping[Kind, frozenset[FactFamily]] = {
    kind: frozenset({FAMILY_OF_KIND[kind]} if kind in FAMILY_OF_KIND else ()) | LINKED.get(kind, frozenset())
    for kind in Kind
}
"""The families whose figures lack something where records of a kind are missing."""

UNPLACED_BECAUSE: Mapping[UnplacedReason, tuple[str, str]] = {
    UnplacedReason.UNKNOWN: ("names something that no connection knows", "name something that no connection knows"),
    UnplacedReason.AMBIGUOUS: ("has an ambiguous name", "have an ambiguous name"),
    UnplacedReason.RULES: ("matches conflicting rules", "match conflicting rules"),
    UnplacedReason.NAMELESS: ("names no repository", "name no repository"),
    UnplacedReason.FAILED: ("could not be stored", "could not be stored"),
}
PUSHED = frozenset().union(*(FAMILIES[kind] for kind in PUSHED_KINDS.values()))


@dataclass(frozen=True)
class Shortfall:
    """A shortfall; `count` is None if the viewer may not know it, or nothing is counted; `link` is for people who can
    fix it.
    """

    key: str
    affects: Callable[[Metric], bool]
    count: int | None
    amount: str
    what: str
    link: Link | None = None
    metrics: tuple[str, ...] = ()  # keys of the requested metrics that it affects

    @property
    def sentence(self) -> str:
        return f"{self.amount} {self.what}".strip()

    @property
    def figures(self) -> str:
        """The affected figures: Spend, Spend per developer and 2 more."""
        names = [get(key).name for key in self.metrics]
        more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
        return wording.listed([*names[:NAMED], *more])


@dataclass(frozen=True)
class Context:
    """The scope, window and viewer; `known` are figures that were read already, by metric."""

    query: Query
    access: Access
    known: Mapping[str, float | None]

    @cached_property
    def for_admin(self) -> bool:
        return bool(getattr(self.access.viewer, "is_staff", False))

    @cached_property
    def left_out(self) -> Mapping[str, int]:
        return left_out(self.query.window.start, self.query.window.end)

    @cached_property
    def names_in_use(self) -> NamesInUse:
        return names_in_use(self.query.window.start, self.query.window.end)

    @property
    def everywhere(self) -> str:
        """The suffix for counts that are not broken down by unit."""
        return "" if self.query.scope == Scope() else " (whole organisation)"

    def counted(self, records: int) -> tuple[int | None, str]:
        """The number of records and its words.  How many people they belong to is unknown, so a number below the
        minimum group is not shown.
        """
        return (None, "Some") if self.access.is_few(records) else (records, f"{records:,}")

    def for_admins(self, label: str, url: str) -> Link | None:
        return Link(label, url) if self.for_admin else None


Affects = Callable[[Metric], bool]
Found = Iterator[Shortfall]


def shortfalls(
    metrics: Sequence[Metric],
    query: Query,
    access: Access,
    *,
    known: Mapping[str, float | None],
    but: Collection[Metric] = (),
) -> list[Shortfall]:
    """Shortfalls of these metrics in the query's scope and window, except those shared with `but`, shown elsewhere.

    `known` has the values of the metrics that `queries_behind` names.
    """
    context = Context(query, access, known)
    found = []
    for kind, affects in KINDS:
        if not any(affects(metric) for metric in metrics):
            continue
        for shortfall in kind(context):
            affected = [metric.key for metric in metrics if shortfall.affects(metric)]
            lack = tuple(key for key in dict.fromkeys(affected) if key not in BEHIND)
            if lack and not any(shortfall.affects(metric) for metric in but):
                found.append(replace(shortfall, metrics=lack))
    return found


def _misses(column: str) -> Affects:
    """A condition on metrics that sum values which may be missing."""

    def misses(metric: Metric) -> bool:
        return any(isinstance(measure, Total) and measure.missing_column == column for measure in metric.measures)

    return misses


def _of(families: Collection[FactFamily]) -> Affects:
    return lambda metric: not metric.families.isdisjoint(families)


_UNPRICED, _UNNAMED, _OF_AI = _misses("unpriced_tokens"), _misses("unnamed_requests"), _of({FactFamily.AI})
BEHIND: Mapping[str, Affects] = {UNPRICED: _UNPRICED, UNNAMED: _UNNAMED}


def queries_behind(metrics: Iterable[Metric], query: Query) -> list[Query]:
    """Queries in the same scope and window for metrics that count the values others could not sum; metrics that lack a
    facet of the query are left out.
    """
    return [
        replace(query, key=key, segments=(), statistic=None)
        for key, misses in BEHIND.items()
        if any(misses(metric) for metric in metrics) and set(query.facets) <= set(get(key).facets)
    ]


def _counts_tokens(metric: Metric) -> bool:
    """Whether a figure counts tokens, or is a share or the cost of tokens."""
    return _UNPRICED(metric) or any(
        isinstance(measure, Total) and measure.column in ("tokens", "prompt_tokens") for measure in metric.measures
    )


def _is_attributed(metric: Metric) -> bool:
    return any(isinstance(measure, AttributedLines) for measure in metric.measures)


def _is_lead_time(metric: Metric) -> bool:
    return any(measure.relation == LEAD_TIMES for measure in metric.measures)


def _unpriced(context: Context) -> Found:
    if tokens := context.known.get(UNPRICED):
        what = "tokens of models without a known price are not included in costs."
        link = Link("Models without a price", f"{reverse('ai_prices')}#unpriced")
        yield Shortfall("unpriced_tokens", _UNPRICED, int(tokens), wording.compact(tokens), what, link)


def _unnamed(context: Context) -> Found:
    if requests := context.known.get(UNNAMED):
        verb = f"{_plural(int(requests), 'request')} to models {_plural(int(requests), 'names', 'name')}"
        what = f"{verb} no session: how many sessions made them is unknown."
        link = context.for_admins("What to do", reverse("connect_agent"))
        yield Shortfall("requests_without_session", _UNNAMED, int(requests), wording.compact(requests), what, link)


def _unread_tokens(context: Context) -> Found:
    if not context.left_out.get(UNREAD_TOKENS):
        return
    link = context.for_admins("Not understood", reverse("admin:integrations_unreadevent_changelist"))
    for agent, is_cached in unread_tokens(context.query.window.start, context.query.window.end).items():
        if agent in context.query.facets.get(Dimension.AGENT, [agent]):
            tokens = "cached tokens" if is_cached else "tokens"
            what = f"Partly understood: {tokens} of {agent_name(agent)} are not read{context.everywhere}."
            yield Shortfall(f"unread_tokens_{agent}", _counts_tokens, None, "", what, link)


def _quarantined_telemetry(context: Context) -> Found:
    if records := context.left_out.get(TELEMETRY):
        count, amount = context.counted(records)
        what = f"{_plural(count, 'record')} of agents {_plural(count, 'waits', 'wait')} in quarantine: not understood"
        link = context.for_admins("Quarantine", reverse("admin:integrations_quarantinedrecord_changelist"))
        yield Shortfall("quarantined_telemetry", _OF_AI, count, amount, f"{what}{context.everywhere}.", link)


def _quarantined_records(context: Context) -> Found:
    link = context.for_admins("Quarantine", f"{reverse('integrations')}#connections-title")
    for kind in Kind:
        if records := context.left_out.get(kind):
            waits = f"{kind.words_for(records)} {_plural(records, 'waits', 'wait')}"
            what = f"{waits} in quarantine: not understood{context.everywhere}."
            yield Shortfall(f"quarantined_{kind}", _of(FAMILIES[kind]), records, f"{records:,}", what, link)


def _unplaced(context: Context) -> Found:
    if not context.left_out.get(UNPLACED):
        return
    numbers: dict[tuple[str, str], int] = {}
    for row in UnplacedRecord.objects.counts():
        numbers[row["kind"], row["reason"]] = numbers.get((row["kind"], row["reason"]), 0) + row["number"]
    link = context.for_admins("Not placed", f"{reverse('integrations')}#connections-title")
    for (name, reason), records in numbers.items():
        kind = Kind(name)
        because = _plural(records, *UNPLACED_BECAUSE[UnplacedReason(reason)])
        what = f"{kind.words_for(records)} {because}{context.everywhere}."
        yield Shortfall(f"unplaced_{name}_{reason}", _of(FAMILIES[kind]), records, f"{records:,}", what, link)


def _unconfirmed(context: Context) -> Found:
    deployments, runs = unconfirmed_deployments(context.names_in_use)
    counts = [(deployments, "deployment"), (runs, "successful pipeline run")]
    if parts := [wording.count(number, noun) for number, noun in counts if number]:
        yield Shortfall(
            "unconfirmed_deployments",
            _of({FactFamily.DEPLOYMENT}),
            deployments + runs,
            wording.listed(parts),
            "may be to production; they count once an admin confirms the mapping of their environments or "
            f"pipelines{context.everywhere}.",
            context.for_admins("Value mappings", reverse("admin:integrations_connection_changelist")),
        )


def _without_production(context: Context) -> Found:
    if repositories := repositories_without_production(context.names_in_use):
        number = len(repositories)
        names = [one.repository for one in repositories[:NAMED]] if context.for_admin else []
        names += [f"{number - NAMED} more"] if context.for_admin and number > NAMED else []
        what = (
            f"{_plural(number, 'repository runs', 'repositories run')} pipelines that deploy and "
            f"{_plural(number, 'has', 'have')} no deployment to production{context.everywhere}"
        )
        link = context.for_admins("Value mappings", value_mappings_url(repositories[0]))
        named = f": {wording.listed(names)}." if names else "."
        yield Shortfall(
            "without_production", _of({FactFamily.DEPLOYMENT}), number, f"{number:,}", f"{what}{named}", link
        )


def value_mappings_url(without: WithoutProduction) -> str:
    """The page on which an admin decides whether a repository's pipelines or environments are production."""
    address = reverse("admin:integrations_connection_meanings", args=[without.connection])
    return url_with(address, {"subject": without.subject.value})


def _notes(context: Context) -> Found:
    if context.access.visibility.whole and (notes := context.left_out.get(NOTES)):
        what = f"git-ai {_plural(notes, 'note')} on commits that are on no branch and in no pull request: not used"
        yield Shortfall("unused_notes", _is_attributed, notes, f"{notes:,}", f"{what}{context.everywhere}.")


def _before_deployments(context: Context) -> Found:
    if merges := context.left_out.get(MERGES):
        what = (
            f"{_plural(merges, 'pull request')} merged long before the first known deployment "
            f"{_plural(merges, 'is', 'are')} excluded{context.everywhere}."
        )
        yield Shortfall("merged_before_deployments", _is_lead_time, merges, f"{merges:,}", what)


def _naming_unknown_commits(context: Context) -> int:
    facets = {name: context.query.facets.get(name) for name in (Dimension.REPOSITORY, Dimension.SERVICE)}
    everywhere = context.left_out.get(UNKNOWN_COMMITS, 0)
    if not everywhere or not any(facets.values()):
        return everywhere
    chosen = {name: list(values) if values else None for name, values in facets.items()}
    window = context.query.window
    return unknown_commits(
        window.start, window.end, repositories=chosen[Dimension.REPOSITORY], services=chosen[Dimension.SERVICE]
    )


def _unknown_commits(context: Context) -> Found:
    if deployments := _naming_unknown_commits(context):
        what = (
            f"{_plural(deployments, 'deployment names an unknown commit', 'deployments name unknown commits')}: "
            f"lead time by time{context.everywhere}."
        )
        yield Shortfall("unknown_commits", _is_lead_time, deployments, f"{deployments:,}", what)


def _silences(context: Context) -> Found:
    if not context.left_out.get(SILENCES):
        return
    link = context.for_admins("Stopped sending", f"{reverse('integrations')}#silences")
    for silence in Silence.objects.open().filter(since__lt=context.query.window.end):
        agent = silence.sender_key if silence.sender_kind in ("agent", "bill", "lines") else silence.agent
        if not agent or agent in context.query.facets.get(Dimension.AGENT, [agent]):
            hidden = silence.sender_kind == "token" and not context.for_admin
            title = "An ingest token sends nothing" if hidden else silence_title(silence)
            what = f"{title} since {wording.day(silence.since)}."
            yield Shortfall(f"silence_{silence.pk}", _silent_in(silence), None, "", what, link)


def _silent_in(silence: Silence) -> Affects:
    match silence.sender_kind:
        case "connection":
            streams = Stream.objects.filter(resource__connection=int(silence.sender_key))
            kinds = streams.values_list("kind", flat=True).distinct()
            return _of(frozenset().union(*(FAMILIES[Kind(kind)] for kind in kinds)))
        case "token":
            pushes = IngestToken.objects.filter(pk=int(silence.sender_key), scope=IngestScope.PUSH).exists()
            return _of(PUSHED if pushes else {FactFamily.AI})
        case "agent":
            return _OF_AI
        case _:
            keys = lacking(silence)
            return lambda metric: metric.key in keys


def _plural(number: int | None, one: str, many: str = "") -> str:
    return one if number == 1 else many or f"{one}s"


KINDS: Iterable[tuple[Callable[[Context], Found], Affects]] = (
    (_unpriced, _UNPRICED),
    (_unread_tokens, _counts_tokens),
    (_unnamed, _UNNAMED),
    (_quarantined_telemetry, _OF_AI),
    (_quarantined_records, _of(frozenset().union(*FAMILIES.values()))),
    (_unplaced, _of(frozenset().union(*FAMILIES.values()))),
    (_unconfirmed, _of({FactFamily.DEPLOYMENT})),
    (_without_production, _of({FactFamily.DEPLOYMENT})),
    (_notes, _is_attributed),
    (_before_deployments, _is_lead_time),
    (_unknown_commits, _is_lead_time),
    (_silences, lambda _: True),
)
"""What is looked for, and whether a metric can lack it at all: else it is not looked for."""
