"""Detectors: what every night's checks look for, declared as metrics are.

A detector asks one question of every team's metric: has it changed, or is the team apart from comparable ones?  It
words its finding, another reading of it, and what to try.  Titles have {unit}, {before}, {after} and {share}, the
difference in relation to `before`.
"""

from __future__ import annotations

from dataclasses import dataclass

from insights.catalogue.registry import get

CHANGE, GAP = "change", "gap"


@dataclass(frozen=True)
class Detector:
    """`kind` is CHANGE or GAP.  A finding differs by at least `least` of the value that it is compared with.

    `waits` says that the metric is a wait, whose hours can be added up.
    """

    key: str
    kind: str
    metric: str
    question: str
    higher: str
    lower: str
    reading: str
    to_try: str
    least: float = 0.2
    waits: bool = False

    @property
    def title(self) -> str:
        return get(self.metric).label


def _change(metric: str, subject: str, *, reading: str, to_try: str, waits: bool = False, verbs: str = "") -> Detector:
    """`subject` is what rises or falls, in words at the beginning of a sentence."""
    rose, fell = verbs.split("|") if verbs else ("rose", "fell")
    return Detector(
        key=f"{metric}.{CHANGE}",
        kind=CHANGE,
        metric=metric,
        question=f"Has it changed: {get(metric).label.lower()}?",
        higher=f"{subject} in {{unit}} {rose} from {{before}} to {{after}}",
        lower=f"{subject} in {{unit}} {fell} from {{before}} to {{after}}",
        reading=reading,
        to_try=to_try,
        waits=waits,
    )


def _gap(metric: str, longer: str, *, reading: str, to_try: str) -> Detector:
    """Teams that wait longer than comparable ones; those that wait less are no finding."""
    return Detector(
        key=f"{metric}.{GAP}",
        kind=GAP,
        metric=metric,
        question=f"Does it take longer than in comparable teams: {get(metric).label.lower()}?",
        higher=longer,
        lower="",
        reading=reading,
        to_try=to_try,
        least=0.25,
        waits=True,
    )


DETECTORS: tuple[Detector, ...] = (
    _gap(
        "pr.pickup_time",
        "Reviews begin {share} later in {unit} than in comparable teams",
        reading="Larger or riskier pull requests wait longer everywhere: compare the size of both.",
        to_try="Name a reviewer for each half day, or agree on a time by which a first review begins.",
    ),
    _gap(
        "pr.review_time",
        "Reviews last {share} longer in {unit} than in comparable teams",
        reading="Thorough reviews last longer, too: look at review depth and at what fails afterwards.",
        to_try="Smaller pull requests, and one round in which all remarks are made.",
    ),
    _gap(
        "pr.merge_time",
        "Approved changes wait {share} longer for their merge in {unit} than in comparable teams",
        reading="A release window or a merge queue makes approved changes wait on purpose.",
        to_try="Merge automatically once a change is approved and its checks are green.",
    ),
    _gap(
        "ci.duration",
        "Pipelines take {share} longer in {unit} than in comparable teams",
        reading="A pipeline that tests more takes longer: compare what it catches.",
        to_try="Run the slowest job first and in parallel, and cache what it installs.",
    ),
    _change(
        "pr.pickup_time",
        "The wait for a first review",
        reading="Fewer reviewers, holidays or larger pull requests in these weeks lengthen it as well.",
        to_try="Name a reviewer for each half day, or agree on a time by which a first review begins.",
        waits=True,
    ),
    _change(
        "pr.review_time",
        "The time of a review",
        reading="New colleagues or a new part of the product take longer to review at first.",
        to_try="Smaller pull requests, and one round in which all remarks are made.",
        waits=True,
    ),
    _change(
        "pr.size",
        "The size of pull requests",
        reading="A migration or generated code makes pull requests large without making them hard to review.",
        to_try="Agree on a size, and let larger work begin behind a flag.",
        verbs="grew|shrank",
    ),
    _change(
        "dora.lead_time",
        "Lead time for changes",
        reading="Work of another kind, such as a large migration, takes longer whatever the team does.",
        to_try="Look at the stage that grew most, and set an objective for it.",
        waits=True,
    ),
    _change(
        "dora.change_failure_rate",
        "Change failure rate",
        reading="Incidents that are linked to deployments since then would raise it without more failures.",
        to_try="Look at the failed changes together: their size, their tests, their reviews.",
    ),
    _change(
        "ci.duration",
        "The duration of pipelines",
        reading="More tests take longer: compare what they catch.",
        to_try="Run the slowest job first and in parallel, and cache what it installs.",
        waits=True,
    ),
    _change(
        "ci.success_rate",
        "The share of pipelines that succeed",
        reading="A job that fails for everybody, such as an expired credential, counts for each team.",
        to_try="Mend or set aside the flakiest job first.",
    ),
    _change(
        "issue.cycle_time",
        "The cycle time of work items",
        reading="Items of another size or type take another time: compare them by type.",
        to_try="Limit the work in progress, and finish the oldest items first.",
        waits=True,
    ),
    _change(
        "ai.error_rate",
        "The error rate of agents",
        reading="A new version of an agent or a provider's outage raises it for everybody.",
        to_try="Look at the failing tools, and at the repositories in which they fail.",
    ),
    _change(
        "ai.cache_hit_rate",
        "The cache hit rate of agents",
        reading="More and shorter sessions lower it, too.",
        to_try="Keep sessions to one task, and context files stable.",
    ),
)
BY_KEY = {detector.key: detector for detector in DETECTORS}
