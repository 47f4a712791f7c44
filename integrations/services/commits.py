"""Commits as the pages that explain them read them: who may see them, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from integrations.models import Commit, CommitEvidence, CommitInRepository, FileAttribution, Method, Repository
from orgtree.models import IndividualPolicy
from orgtree.services.trust import Viewer, effective_policy, person_of

NO_EVIDENCE = "none"  # in place of an agent or a method: commits of which nothing speaks of an agent


@dataclass(frozen=True)
class CommitFilter:
    """What a list of commits is narrowed to; empty fields narrow nothing."""

    agent: str = ""
    method: str = ""
    repository: str = ""
    set_apart: str = ""  # a value of CommitSetApart, or "counted"


@dataclass(frozen=True)
class MethodShare:
    """What one method of evidence says of the commits of a window."""

    method: Method
    lines: int
    commits: int


def visible_commits(viewer: Viewer) -> QuerySet[Commit]:
    """All commits where people are named; elsewhere one's own.

    An object id leads to its author for everybody who has the repository, so a commit cannot be shown under a
    pseudonym.
    """
    commits = Commit.objects.all()
    if effective_policy() == IndividualPolicy.NAMED:
        return commits
    own = person_of(viewer)
    if own is None:
        return commits.none()
    return commits.filter(Q(author__person=own) | Q(credited__person=own))


def narrowed(commits: QuerySet[Commit], wanted: CommitFilter) -> QuerySet[Commit]:
    if wanted.repository:
        held = CommitInRepository.objects.filter(commit=OuterRef("pk"), repository__name=wanted.repository)
        commits = commits.filter(Exists(held))
    if wanted.set_apart == "counted":
        commits = commits.filter(set_apart="")
    elif wanted.set_apart:
        commits = commits.filter(set_apart=wanted.set_apart)
    if NO_EVIDENCE in (wanted.agent, wanted.method):
        return commits.exclude(_has_evidence(Q()))
    said = Q()
    if wanted.agent:
        said &= Q(agent=wanted.agent)
    if wanted.method:
        said &= Q(method=wanted.method)
    return commits.filter(_has_evidence(said)) if said else commits


def _has_evidence(said: Q) -> Q:
    """Standing evidence for the commit itself, or for one that it stands for."""
    standing = CommitEvidence.objects.filter(said, withdrawn_at=None)
    own = standing.filter(commit=OuterRef("pk"))
    stood_for = standing.filter(commit__stands_in=OuterRef("pk"))
    return Q(Exists(own)) | Q(Exists(stood_for))


def repositories_of(commits: Iterable[Commit]) -> Mapping[int, Sequence[CommitInRepository]]:
    """Where each commit is held, by its id; the repositories on whose default branch it stands first."""
    links = CommitInRepository.objects.filter(commit__in=[commit.pk for commit in commits])
    found: dict[int, list[CommitInRepository]] = {}
    for link in links.select_related("repository").order_by("-on_default_branch", "repository__name"):
        found.setdefault(link.commit_id, []).append(link)
    return found


def ai_lines_of(commits: Iterable[Commit]) -> Mapping[int, Mapping[str, int]]:
    """AI lines by agent, by the commit's id."""
    rows = FileAttribution.objects.filter(commit__in=[commit.pk for commit in commits]).values_list(
        "commit_id", "agent"
    )
    found: dict[int, dict[str, int]] = {}
    for commit_id, agent, lines in rows.annotate(lines=Sum("ai_lines")).order_by("commit_id", "agent"):
        found.setdefault(commit_id, {})[agent] = lines
    return found


def methods_of(commits: Iterable[Commit]) -> Mapping[int, Sequence[Method]]:
    """The methods that decided the attribution of each commit, by its id."""
    rows = FileAttribution.objects.filter(commit__in=[commit.pk for commit in commits])
    found: dict[int, list[Method]] = {}
    for commit_id, method in rows.values_list("commit_id", "method").distinct().order_by("commit_id", "method"):
        found.setdefault(commit_id, []).append(Method(method))
    return found


def mix_of_methods(first_day: date, day_after: date) -> list[MethodShare]:
    """AI lines of the counted commits of [first_day, day_after) by the method that decided, in the order of belief."""
    counted = FileAttribution.objects.filter(
        commit__set_apart="", commit__counted_on__gte=first_day, commit__counted_on__lt=day_after
    )
    rows = counted.values_list("method").annotate(lines=Sum("ai_lines"), commits=Count("commit", distinct=True))
    found = {method: (lines, commits) for method, lines, commits in rows}
    return [MethodShare(method, *found[method]) for method in Method if method in found]


def agents_with_evidence() -> list[str]:
    """Slugs of the agents that any commit's evidence names."""
    agents = CommitEvidence.objects.filter(withdrawn_at=None).order_by("agent").values_list("agent", flat=True)
    return list(agents.distinct())


def repository_names() -> list[str]:
    return list(Repository.objects.order_by("name").values_list("name", flat=True))
