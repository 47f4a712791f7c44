"""Commits for the pages that list and explain them: visibility, filters, attribution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.expressions import RawSQL

from integrations.facts.ownership import REPOSITORY_PLACEMENTS
from integrations.models import (
    AgentSession,
    Commit,
    CommitEvidence,
    CommitInRepository,
    FileAttribution,
    Method,
    Repository,
)
from orgtree.access.access import Access
from orgtree.models import IndividualPolicy, PersonAttribute, Placement
from orgtree.trees.people_filter import PeopleFilter

NO_EVIDENCE = "none"  # in place of an agent or a method: commits without evidence of an agent


@dataclass(frozen=True)
class CommitFilter:
    """Filters of a list of commits; empty fields do not filter."""

    agent: str = ""
    method: str = ""
    repository: str = ""
    set_apart: str = ""  # as in the address; a value of CommitExclusion, or "counted"


@dataclass(frozen=True)
class Choices:
    """The filter values on offer."""

    agents: Sequence[str]
    repositories: Sequence[str]


@dataclass(frozen=True)
class CommitAttribution:
    """Lines of a commit by one agent, with the method that decided."""

    agent: str
    method: Method
    lines: int


def visible_commits(access: Access) -> QuerySet[Commit]:
    """The viewer's own commits and, if the policy shows names, those of units whose individuals the viewer may see.

    Anybody with the repository can look up the author of an object id, so commits cannot be shown under a pseudonym.  A
    commit belongs to the units of its author on the day on which it counts; that of an autonomous agent to the units
    that owned its home.
    """
    commits = Commit.objects.all()
    visibility, named = access.visibility, access.policy == IndividualPolicy.NAMED
    if named and visibility.individuals_in is None:
        return commits
    visible = Q(pk__in=())
    if visibility.person_id is not None:
        visible |= Q(author__person=visibility.person_id) | Q(credited__person=visibility.person_id)
    if named and visibility.individuals_in:
        placed = Placement.objects.filter(
            person=OuterRef("credited__person"),
            ancestor__in=visibility.individuals_in,
            during__contains=OuterRef("counted_on"),
        )
        visible |= Q(Exists(placed)) | Q(
            pk__in=_autonomous_commits_owned_by("owner.ancestor_id = ANY (%s)", sorted(visibility.individuals_in))
        )
    return commits.filter(visible)


def may_name_session(access: Access, session: AgentSession | None) -> bool:
    """Whether the viewer may know which session an evidence row names; nobody may know one without telemetry."""
    own_id = access.visibility.person_id
    named = access.policy == IndividualPolicy.NAMED and access.visibility.individuals_in is None
    return session is None or named or (own_id is not None and session.identity.person_id == own_id)


def commits_of(commits: QuerySet[Commit], people_filter: PeopleFilter) -> QuerySet[Commit]:
    """Commits that count for these people or units on the day of each commit."""
    then: dict[str, Any] = {"person": OuterRef("credited__person"), "during__contains": OuterRef("counted_on")}
    if people_filter.person_id is not None:
        commits = commits.filter(credited__person=people_filter.person_id)
    if people_filter.unit is not None:
        owned = _autonomous_commits_owned_by(
            "owner.ancestor_id = (SELECT id FROM orgtree_unit WHERE slug = %s)", people_filter.unit
        )
        placed = Exists(Placement.objects.filter(ancestor__slug=people_filter.unit, **then))
        commits = commits.filter(placed | Q(pk__in=owned))
    if people_filter.unassigned is not None:
        owned = _autonomous_commits_owned_by(
            "owner.tree_id = (SELECT id FROM orgtree_orgtree WHERE slug = %s)", people_filter.unassigned
        )
        commits = commits.exclude(Exists(Placement.objects.filter(tree__slug=people_filter.unassigned, **then)))
        commits = commits.exclude(pk__in=owned)
    for slug, values in people_filter.where.items():
        attributes = PersonAttribute.objects.filter(attribute__slug=slug, value__in=values, **then)
        commits = commits.filter(Exists(attributes))
    return commits


def _autonomous_commits_owned_by(owners: LiteralString, value: str | list[int]) -> RawSQL:
    """Ids of autonomous agents' commits whose home these units owned on the day of the commit."""
    return RawSQL(  # noqa: S611 — values are passed apart
        f"""
        SELECT by_agent.id
        FROM ({REPOSITORY_PLACEMENTS}) AS owner
        JOIN integrations_commit by_agent
          ON by_agent.home_id = owner.repository_id AND by_agent.credited_id IS NULL
         AND owner.during @> by_agent.counted_on
        WHERE {owners}
        """,  # noqa: S608 — constants
        [value],
    )


def filter_commits(commits: QuerySet[Commit], criteria: CommitFilter) -> QuerySet[Commit]:
    if criteria.repository:
        held = CommitInRepository.objects.filter(commit=OuterRef("pk"), repository__name=criteria.repository)
        commits = commits.filter(Exists(held))
    if criteria.set_apart == "counted":
        commits = commits.filter(exclusion_reason="")
    elif criteria.set_apart:
        commits = commits.filter(exclusion_reason=criteria.set_apart)
    if NO_EVIDENCE in (criteria.agent, criteria.method):
        return commits.exclude(pk__in=_with_evidence(CommitFilter()))
    return commits.filter(pk__in=_with_evidence(criteria)) if criteria.agent or criteria.method else commits


def _with_evidence(criteria: CommitFilter) -> RawSQL:
    """Ids of the commits with such evidence, either their own or that of a commit they represent.

    Evidence that no agent took part counts only if its method is selected.
    """
    return RawSQL(  # a recursive query, which the ORM cannot express; values are parameters
        """
        WITH RECURSIVE supported (commit_id) AS (
            SELECT commit_id FROM integrations_commitevidence
            WHERE withdrawn_at IS NULL AND %s IN ('', agent) AND %s IN ('', method) AND (agent <> '' OR NOT %s)
            UNION
            SELECT commit.stands_in_id FROM supported JOIN integrations_commit commit ON commit.id = supported.commit_id
            WHERE commit.stands_in_id IS NOT NULL
        )
        SELECT commit_id FROM supported
        """,
        [criteria.agent, criteria.method, not criteria.method],
    )


def repositories_of(commits: Iterable[Commit]) -> Mapping[int, Sequence[CommitInRepository]]:
    """Repositories by commit id, those with the commit on their default branch first."""
    links = CommitInRepository.objects.filter(commit__in=[commit.pk for commit in commits])
    by_commit: dict[int, list[CommitInRepository]] = {}
    for link in links.select_related("repository").order_by("-on_default_branch", "repository__name"):
        by_commit.setdefault(link.commit_id, []).append(link)
    return by_commit


def attributions_of(commits: Iterable[Commit]) -> Mapping[int, Sequence[CommitAttribution]]:
    """AI lines by commit id, agent and method."""
    rows = FileAttribution.objects.filter(commit__in=[commit.pk for commit in commits])
    summed = rows.values_list("commit_id", "agent", "method").annotate(lines=Sum("ai_lines"))
    by_commit: dict[int, list[CommitAttribution]] = {}
    for commit_id, agent, method, lines in summed.order_by("commit_id", "agent", "method"):
        by_commit.setdefault(commit_id, []).append(CommitAttribution(agent, Method(method), lines))
    return by_commit


def filter_choices() -> Choices:
    """Filter values: the agents that evidence names, and the repositories."""
    agents = (
        CommitEvidence.objects.filter(withdrawn_at=None)
        .exclude(agent="")
        .order_by()
        .values_list(Value("agent"), "agent")
        .distinct()
    )
    repositories = Repository.objects.order_by().values_list(Value("repository"), "name")
    choices = sorted(agents.union(repositories, all=True))
    return Choices(
        agents=[name for kind, name in choices if kind == "agent"],
        repositories=[name for kind, name in choices if kind == "repository"],
    )
