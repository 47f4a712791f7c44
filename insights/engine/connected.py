"""The days from which sources are connected: before them a count has no data, from then on it can be 0."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, LiteralString

from core import sql
from insights.catalogue.declarations import Metric
from insights.engine.fact_query import ResolvedScope, ScopeKind
from insights.engine.scope import is_of_people
from insights.query.enums import BelongsTo
from insights.query.query import Window
from integrations.enums import Kind
from integrations.facts.ownership import OWNER_PLACEMENTS
from integrations.facts.working_agreements import AGREED
from integrations.models import FAMILY_OF_KIND, FactFamily

NOT_YET = "This time is in the future."
NOTHING = "No data in this time."
OWNS_NOTHING = "This unit owned no repository or service then. Confirm owners on the page Ownership."
NOBODY_ENTERED = "No value has been entered."
OF_UNITS_ALONE = "Values are entered for units and for the whole organisation, not for people or parts."
DIRECTLY = (
    "No pull requests were merged; commits reached the default branch directly. If the team works without pull "
    "requests, set that in its working agreement."
)
OF_NO_PERSON = "This counts for the unit that owns the repository or service, so it cannot be filtered by people."


class Source(enum.Enum):
    """Sources of facts."""

    TELEMETRY = "telemetry of agents"
    SEATS = "seats and people"
    REPOSITORIES = "connected repositories"
    CLONES = "clones"
    PULL_REQUESTS = "pull requests"
    WORK_ITEMS = "work items"
    SPRINTS = "sprints"
    PIPELINES = "pipeline runs"
    DEPLOYMENTS = "deployments"
    INCIDENTS = "incidents"
    TEST_REPORTS = "test reports"
    COVERAGE_REPORTS = "coverage reports"
    CODE_SCANNING = "code scanning alerts"
    VENDORS = "vendors’ reports"


SOURCES: Mapping[FactFamily, Source] = {
    FactFamily.AI: Source.TELEMETRY,
    FactFamily.ENROLMENT: Source.TELEMETRY,
    FactFamily.SEATS: Source.SEATS,
    FactFamily.CODE: Source.REPOSITORIES,
    FactFamily.CLONE: Source.CLONES,
    FactFamily.PULL_REQUEST: Source.PULL_REQUESTS,
    FactFamily.WORK_ITEM: Source.WORK_ITEMS,
    FactFamily.SPRINT: Source.SPRINTS,
    FactFamily.EFFORT: Source.WORK_ITEMS,
    FactFamily.PIPELINE: Source.PIPELINES,
    FactFamily.DEPLOYMENT: Source.DEPLOYMENTS,
    FactFamily.INCIDENT: Source.INCIDENTS,
    FactFamily.TEST: Source.TEST_REPORTS,
    FactFamily.COVERAGE: Source.COVERAGE_REPORTS,
    FactFamily.CODE_SCANNING: Source.CODE_SCANNING,
    FactFamily.VENDOR: Source.VENDORS,
}
_KINDS: Mapping[Source, Kind] = {
    SOURCES[family]: kind for kind, family in FAMILY_OF_KIND.items() if family is not FactFamily.CODE
}
NO_SOURCE = {
    Source.TELEMETRY: "No telemetry had been received by then.",
    Source.SEATS: "No seats are entered for this time.",
    Source.REPOSITORIES: "The connected repositories have no commits from this time.",
    Source.CLONES: "No clone: the clones that are read have no commits from then.",
    **{source: f"No connection tells of {source.value} from then." for source in _KINDS},
}
NO_SOURCE_EVER = {
    Source.TELEMETRY: "No telemetry has been received yet. Connect an agent to see figures here.",
    Source.SEATS: "No seats are entered yet. An admin enters seat plans, and who has a seat, in admin.",
    Source.REPOSITORIES: "No repository is connected yet. Connect a code host in admin, or a path under Repositories.",
    Source.CLONES: "No clone is read. Connect a path under Repositories, or let a connection mirror its repositories.",
    Source.PULL_REQUESTS: "No pull request has been synced or pushed yet. Connect a source of pull requests in admin.",
    Source.WORK_ITEMS: "No work item has been synced or pushed yet. Connect an issue tracker in admin.",
    Source.SPRINTS: "No sprint has been synced yet. Connect an issue tracker whose boards have sprints in admin.",
    Source.PIPELINES: "No pipeline run has been synced or pushed yet. Connect a CI system, or push its runs.",
    Source.DEPLOYMENTS: "No deployment has been synced or pushed yet. Connect a CI/CD system, or push deployments.",
    Source.INCIDENTS: "No incident has been synced or pushed yet. Connect an incident tool, or push incidents.",
    Source.TEST_REPORTS: "No test report has been pushed yet. Let a pipeline push its JUnit XML.",
    Source.COVERAGE_REPORTS: "No coverage report has been pushed yet. Let a pipeline push its Cobertura XML.",
    Source.CODE_SCANNING: "No code scanning alert has been synced or pushed yet. Let a GitHub connection read code "
    "scanning alerts, or let a pipeline push SARIF reports.",
    Source.VENDORS: "No vendor’s report has been synced yet. Connect the API of an agent’s vendor in admin.",
}
ANYBODY = -1  # a key that is no unit's id
ONLY_OTHERS = "None of these people has sent telemetry yet. Connect their agents to see figures here."

# The time of the first record.  If a stream was read to its end and had no records, its first sync also marks the start
# of data.
_FIRST_OF_RECORDS: Mapping[Source, LiteralString] = {
    Source.PULL_REQUESTS: "SELECT min(created_at) FROM integrations_pullrequest WHERE deleted_at IS NULL",
    Source.WORK_ITEMS: "SELECT min(created_at) FROM integrations_workitem WHERE deleted_at IS NULL",
    Source.SPRINTS: "SELECT min(starts_at) FROM integrations_sprint WHERE deleted_at IS NULL AND state <> 'planned'",
    Source.PIPELINES: "SELECT min(finished_at) FROM integrations_pipelinerun WHERE deleted_at IS NULL",
    Source.DEPLOYMENTS: "SELECT min(finished_at) FROM integrations_deployment WHERE deleted_at IS NULL",
    Source.INCIDENTS: "SELECT min(started_at) FROM integrations_incident WHERE deleted_at IS NULL",
    Source.TEST_REPORTS: "SELECT min(finished_at) FROM integrations_testreport WHERE deleted_at IS NULL",
    Source.COVERAGE_REPORTS: "SELECT min(measured_at) FROM integrations_coveragereport WHERE deleted_at IS NULL",
}
_FIRST_DAYS: Mapping[Source, LiteralString] = {
    Source.TELEMETRY: (
        "SELECT (min(first_at) AT TIME ZONE current_setting('TimeZone'))::date FROM integrations_enrolment"
    ),
    Source.REPOSITORIES: "SELECT min(counted_on) FROM integrations_commit",
    Source.CLONES: "SELECT min(counted_on) FROM integrations_commit WHERE NOT without_clone",
    # A stream without a position found that the repository has no code scanning.
    Source.CODE_SCANNING: (
        "SELECT (least((SELECT min(created_at) FROM integrations_codescanningalert WHERE deleted_at IS NULL),"
        " (SELECT min(first_at) FROM integrations_codescan),"
        " (SELECT min(succeeded_at) FROM integrations_stream WHERE kind = 'code_scanning_alert' AND cursor <> '{}'))"
        " AT TIME ZONE current_setting('TimeZone'))::date"
    ),
    Source.VENDORS: "SELECT min(day) FROM integrations_vendorreport WHERE deleted_at IS NULL",
    Source.SEATS: "SELECT min(coalesce(lower(during), '2000-01-01')) FROM integrations_seatplan",
}


@dataclass(frozen=True)
class Connected:
    """The metric's source that was connected last, and its first local day (None: never)."""

    source: Source
    since: date | None
    owning_since: date = date.min  # the day from which the unit owns anything, for metrics of owners
    only_others: bool = False  # people outside the scope sent telemetry, and nobody in it


class ConnectedSince:
    """The days from which metrics have all their sources; looked up lazily, because most values are not missing."""

    def __init__(self, expected: Iterable[Metric] = ()) -> None:
        """Looks up the sources of the `expected` metrics together."""
        self._sources: dict[str, Sequence[Source]] = {}
        self._expected = {source for metric in expected for source in self._sources_of(metric)} - {Source.TELEMETRY}
        self._of_everybody: dict[Source, date | None] = {}
        self._enrolled: dict[ResolvedScope, Mapping[int | None, date]] = {}
        self._owning: dict[ResolvedScope, Mapping[int | None, date]] = {}
        self._direct: dict[tuple[ResolvedScope, int | None, Window, tuple[str, ...]], bool] = {}

    def of(self, metric: Metric, scope: ResolvedScope, unit_id: int | None = None) -> Connected:
        """The day from which the metric is connected.  `unit_id` is one of the scope's several units, or a person given
        to `note_enrolled`.
        """
        sources = self._sources_of(metric)
        # The seat of somebody who never sent telemetry is idle, so anybody's telemetry is enough.
        telemetry_of = None if Source.SEATS in sources else scope
        connected = [Connected(source, self._since(source, telemetry_of, unit_id)) for source in sources]
        latest = max(connected, key=lambda candidate: candidate.since or date.max)
        if latest.since is None and latest.source is Source.TELEMETRY and telemetry_of is not None:
            latest = replace(latest, only_others=ANYBODY in self._enrolled[telemetry_of])
        if metric.belongs_to is not BelongsTo.OWNER or scope.kind not in (ScopeKind.UNIT, ScopeKind.UNITS):
            return latest
        if scope not in self._owning:
            self._owning[scope] = _owning_since(scope)
        owning = self._owning[scope].get(unit_id or (scope.ids[0] if scope.ids else None))
        return replace(latest, owning_since=owning or date.max)

    def lacks_a_source(self, metric: Metric, window: Window, scope: ResolvedScope, unit_id: int | None = None) -> bool:
        """Whether one of the metric's several sources was connected only after the window.

        Such a window has no data: from the other sources alone, spend would be 0 and every seat idle.
        """
        if not self.needs_several(metric):
            return False
        since = self.of(metric, scope, unit_id).since
        return since is None or window.end <= since

    def needs_several(self, metric: Metric) -> bool:
        return len(self._sources_of(metric)) > 1

    def note_enrolled(self, scope: ResolvedScope, since: Mapping[int | None, date]) -> None:
        """Note the day from which each person of the scope is enrolled in it; people without one never were."""
        self._enrolled[scope] = since

    def before_end(self, metric: Metric, window: Window, enrolled_on: str) -> str:
        """The SQL condition that every source of the metric was connected before the window's end.

        `enrolled_on` is SQL for the first day of the telemetry that counts, NULL if there is none.
        """
        sources = self._sources_of(metric)
        days = [
            enrolled_on
            if source is Source.TELEMETRY and Source.SEATS not in sources
            else f"DATE '{self._since(source, None, None) or date.max}'"
            for source in sources
        ]
        return " AND ".join(f"coalesce({day} < DATE '{window.end}', false)" for day in days)

    def only_direct_commits(
        self, scope: ResolvedScope, unit_id: int | None, window: Window, repositories: tuple[str, ...]
    ) -> bool:
        """Whether commits of the scope, but no merged pull requests, reached default branches (of these repositories).

        Commits to repositories of units that agreed to work this way do not count.
        """
        key = (scope, unit_id, window, repositories)
        if key not in self._direct:
            self._direct[key] = _only_direct_commits(unit_id or (scope.ids[0] if scope.ids else None), *key[2:])
        return self._direct[key]

    def _sources_of(self, metric: Metric) -> Sequence[Source]:
        if metric.key not in self._sources:
            families = metric.families - {FactFamily.HAND_KEPT}  # people enter these
            self._sources[metric.key] = sorted({SOURCES[family] for family in families}, key=list(Source).index)
        return self._sources[metric.key]

    def _since(self, source: Source, telemetry_of: ResolvedScope | None, unit_id: int | None) -> date | None:
        """The first day of a source.  `telemetry_of` says whose telemetry counts (None: anybody's); other sources
        belong to the whole organisation.
        """
        if source is Source.TELEMETRY and telemetry_of is not None:
            if telemetry_of not in self._enrolled:
                self._enrolled[telemetry_of] = _enrolled_since(telemetry_of)
            since = self._enrolled[telemetry_of]
            return since.get(unit_id, since.get(None))
        if source not in self._of_everybody:
            self._of_everybody |= _connected_since({source, *self._expected} - self._of_everybody.keys())
        return self._of_everybody[source]


def telemetry_since() -> date | None:
    """The first local day of anybody's telemetry."""
    return _connected_since({Source.TELEMETRY})[Source.TELEMETRY]


def _connected_since(sources: Collection[Source]) -> dict[Source, date | None]:
    """The first day of each of these organisation-wide sources, in one query."""
    first_days = " UNION ALL ".join(f"SELECT '{source.value}', ({_first_day_of(source)})" for source in sources)
    return {Source(name): since for name, since in sql.rows(first_days)}


def _first_day_of(source: Source) -> str:
    if source in _FIRST_DAYS:
        return _FIRST_DAYS[source]
    synced = f"SELECT min(succeeded_at) FROM integrations_stream WHERE kind = '{_KINDS[source].value}'"
    return f"(coalesce(({_FIRST_OF_RECORDS[source]}), ({synced})) AT TIME ZONE current_setting('TimeZone'))::date"


def _owning_since(scope: ResolvedScope) -> Mapping[int | None, date]:
    """The first day on which each unit or a descendant owned anything."""
    return dict(
        sql.rows(
            f"""
            SELECT ancestor_id, min(coalesce(lower(during), '0001-01-01'::date))
            FROM ({OWNER_PLACEMENTS}) AS owners
            WHERE ancestor_id = ANY(%(ids)s::bigint[]) OR %(ids)s::bigint[] = '{{}}'
            GROUP BY ancestor_id
            """,  # a constant
            {"ids": list(scope.ids)},
        )
    )


def _only_direct_commits(unit: int | None, window: Window, repositories: tuple[str, ...]) -> bool:
    in_unit = (
        "JOIN orgtree_placement placement ON placement.person_id = identity.person_id"
        " AND placement.ancestor_id = %(unit)s AND placement.during @> {day}"
        if unit
        else ""
    )
    in_repositories = (
        "AND {repository} IN (SELECT id FROM integrations_repository WHERE name = ANY(%(repositories)s))"
        if repositories
        else ""
    )
    return bool(
        sql.value(
            f"""
            WITH agreed AS MATERIALIZED (
                SELECT owned.repository_id, agreed.during FROM ({AGREED}) AS agreed
                JOIN integrations_owned owned ON owned.id = agreed.owned_id WHERE agreed.trunk
            )
            SELECT NOT EXISTS (
                SELECT FROM integrations_pullrequestfigures figures
                LEFT JOIN orgtree_identity identity ON identity.id = figures.credited_id
                {in_unit.format(day="figures.merged_on")}
                WHERE figures.merged_on >= %(start)s AND figures.merged_on < %(end)s AND figures.set_apart = ''
                {in_repositories.format(repository="figures.repository_id")}
            ) AND EXISTS (
                SELECT FROM integrations_commit commit
                JOIN integrations_commitinrepository link ON link.commit_id = commit.id AND link.on_default_branch
                LEFT JOIN orgtree_identity identity ON identity.id = commit.credited_id
                {in_unit.format(day="commit.counted_on")}
                WHERE commit.counted_on >= %(start)s AND commit.counted_on < %(end)s AND commit.set_apart = ''
                  AND NOT EXISTS (
                      SELECT FROM agreed
                      WHERE agreed.repository_id = link.repository_id AND agreed.during @> commit.counted_on
                  )
                {in_repositories.format(repository="link.repository_id")}
            )
            """,  # from constants of this module
            {"unit": unit, "start": window.start, "end": window.end, "repositories": list(repositories)},
        )
    )


def _enrolled_since(scope: ResolvedScope) -> Mapping[int | None, date]:
    """The first day on which anybody in the scope was enrolled: by unit id if the scope is several units, otherwise
    under the key None, which is also the default.  The key ANYBODY has the first day in the whole organisation.

    Facts of people in no unit may be unmatched, so the day of the whole organisation applies to them.
    """
    stays: list[tuple[str, str, list[Any]]] = []  # date ranges that must all contain the day: table, condition, values
    if scope.kind in (ScopeKind.UNIT, ScopeKind.UNITS):
        of_units = ("AND {}.ancestor_id = ANY(%s)", [[*scope.ids]]) if scope.ids else ("", [])
        stays.append(("orgtree_placement", *of_units))
    for attribute, values in scope.attributes:
        holds = "AND {0}.attribute_id = %s AND {0}.value = ANY(%s)"
        stays.append(("orgtree_personattribute", holds, [attribute, [*values]]))
    names = [f"stay_{position}" for position in range(len(stays))]
    joins = [
        f"JOIN {table} {name} ON {name}.person_id = identity.person_id AND {name}.during && enrolled.days"
        f" {condition.format(name)}"
        for name, (table, condition, _) in zip(names, stays, strict=True)
    ]
    only = [
        *([[*scope.ids]] if scope.kind is ScopeKind.PERSON else []),
        *([[scope.person_id]] if scope.person_id is not None else []),
        *([[*scope.among]] if scope.among else []),
    ]
    key = "stay_0.ancestor_id" if scope.kind is ScopeKind.UNITS else "NULL::bigint"
    rows = sql.rows(
        f"""
        SELECT {key}, min(lower({" * ".join(["enrolled.days", *(f"{name}.during" for name in names)])}))
        FROM integrations_enrolment enrolment
        JOIN orgtree_identity identity ON identity.id = enrolment.identity_id
        CROSS JOIN LATERAL (
            SELECT daterange((first_at AT TIME ZONE current_setting('TimeZone'))::date, NULL) AS days
        ) AS enrolled
        {" ".join(joins)}
        WHERE {" AND ".join(["true", *["identity.person_id = ANY(%s)"] * len(only)])}
        GROUP BY 1
        UNION ALL SELECT {ANYBODY}, ({_FIRST_DAYS[Source.TELEMETRY]})
        """,  # from constants of this module
        [*(value for _, _, values in stays for value in values), *only],
    )
    return {of: since for of, since in rows if since}


def why_not_entered(scope: ResolvedScope, window: Window, today: date) -> str:
    """The reason why a hand-kept metric has no value in a window."""
    if is_of_people(scope) or scope.kind is ScopeKind.UNASSIGNED:
        return OF_UNITS_ALONE
    return NOT_YET if window.start > today else NOBODY_ENTERED


def why_no_data(window: Window, connected: Connected, today: date) -> str:
    """The reason why a window has no data; NOTHING if the source was connected, so that a count is 0."""
    if window.start > today:
        return NOT_YET
    if connected.since is None:
        return ONLY_OTHERS if connected.only_others else NO_SOURCE_EVER[connected.source]
    if window.end <= connected.since:
        return NO_SOURCE[connected.source]
    return OWNS_NOTHING if window.end <= connected.owning_since else NOTHING
