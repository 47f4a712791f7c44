"""Detectors: what the nightly checks look for, declared like metrics.

A detector asks one question about every team's metric: has it changed within a year, or when the team was reorganised;
has it risen for six months; or does the team, or a repository, differ from comparable ones?  It words its finding,
another reading of it, and what to try.  Titles have {unit}, {before} and {after}; those of gaps also {longer} and
{than}, which say "40% longer … than" or, from twice the time on, "2.1 times as long … as"; those of moves also {day}.
"""

from __future__ import annotations

from dataclasses import dataclass

from insights.catalogue.ai_spend import KNOWN_OUTCOME
from insights.catalogue.registry import get
from insights.query.enums import UnitOfMeasure

ENOUGH_REVIEWS = 20  # per week: with fewer, their distribution over people says little
CHANGE, GAP, TREND, MOVE, DATA, LEAVERS = "change", "gap", "trend", "move", "data", "leavers"


@dataclass(frozen=True)
class Detector:
    """`kind` is one of the six above.  A finding differs from the value that it is compared with by at least the share
    `least`.

    A direction without a title is not reported.  Weeks with fewer than `least_a_week` facts are left out; `at_least` is
    the smallest difference in the metric's own unit.

    `waits` says that the metric is a wait, whose hours can be added up.  With `part_of`, the value is the metric's
    share of the sum of these; with `of_repositories`, repositories are compared instead of teams; with
    `without_context`, those without an agent context file are compared with those that have one.
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
    part_of: tuple[str, ...] = ()
    of_repositories: bool = False
    without_context: bool = False
    least_a_week: int = 0
    at_least: float = 0.0

    @property
    def unit_of_measure(self) -> str:
        return UnitOfMeasure.PERCENT if self.part_of or self.kind in {DATA, LEAVERS} else get(self.metric).unit

    @property
    def title(self) -> str:
        return get(self.metric).label


def _change(
    metric: str,
    subject: str,
    *,
    reading: str,
    to_try: str,
    waits: bool = False,
    verbs: str = "rose|fell",
    part_of: tuple[str, ...] = (),
    least_a_week: int = 0,
    at_least: float = 0.0,
) -> Detector:
    """A change within a year.  `subject` starts the sentence and names what changes; with a single verb, only rises
    count.
    """
    rose, _, fell = verbs.partition("|")
    return Detector(
        key=f"{metric}.{CHANGE}",
        kind=CHANGE,
        metric=metric,
        question=f"Has it changed: {get(metric).label_within}?",
        higher=f"{subject} in {{unit}} {rose} from {{before}} to {{after}}",
        lower=f"{subject} in {{unit}} {fell} from {{before}} to {{after}}" if fell else "",
        reading=reading,
        to_try=to_try,
        waits=waits,
        part_of=part_of,
        least_a_week=least_a_week,
        at_least=at_least,
    )


def _trend(metric: str, subject: str, *, reading: str, to_try: str) -> Detector:
    """A slow rise, week after week, that no single day explains."""
    return Detector(
        key=f"{metric}.{TREND}",
        kind=TREND,
        metric=metric,
        question=f"Has it risen steadily: {get(metric).label_within}?",
        higher=f"{subject} in {{unit}} has risen steadily for six months, from {{before}} to {{after}}",
        lower="",
        reading=reading,
        to_try=to_try,
    )


def _move(metric: str, subject: str, *, waits: bool = False) -> Detector:
    """A change on the day on which the team moved, or on which many of its people came or left."""
    return Detector(
        key=f"{metric}.{MOVE}",
        kind=MOVE,
        metric=metric,
        question=f"Did it change when the team was reorganised: {get(metric).label_within}?",
        higher=f"{subject} in {{unit}} rose from {{before}} to {{after}} when the team was reorganised on {{day}}",
        lower=f"{subject} in {{unit}} fell from {{before}} to {{after}} when the team was reorganised on {{day}}",
        reading="A reorganisation also changes whose work is counted here: newcomers bring their own habits and work.",
        to_try="Ask the team what became harder since then: who reviews, who decides, and what nobody owns any more.",
        waits=waits,
    )


def _gap(
    metric: str,
    longer: str,
    *,
    reading: str,
    to_try: str,
    question: str = "Does it take longer than in comparable teams",
    waits: bool = True,
    is_lower: bool = False,
    part_of: tuple[str, ...] = (),
    of_repositories: bool = False,
    without_context: bool = False,
    least_a_week: int = 0,
    at_least: float = 0.0,
) -> Detector:
    """Teams that are worse off than comparable ones; being better off is not reported."""
    return Detector(
        key=f"{metric}.{GAP}" + (".context_files" if without_context else ".repositories" if of_repositories else ""),
        kind=GAP,
        metric=metric,
        question=f"{question}: {get(metric).label_within}?",
        higher="" if is_lower else longer,
        lower=longer if is_lower else "",
        reading=reading,
        to_try=to_try,
        least=0.25,
        waits=waits,
        part_of=part_of,
        of_repositories=of_repositories,
        without_context=without_context,
        least_a_week=least_a_week,
        at_least=at_least,
    )


def _data(name: str, metric: str, title: str, question: str, *, reading: str, to_try: str, least: float) -> Detector:
    """Records of the last quarter that figures lack, or that have a wrong time: counted, not tested for chance.

    From the share `least` on they are a finding, provided that a figure moves with them.
    """
    return Detector(
        key=f"{DATA}.{name}",
        kind=DATA,
        metric=metric,
        question=question,
        higher=title,
        lower="",
        reading=reading,
        to_try=to_try,
        least=least,
    )


UNMATCHED = _data(
    "unmatched_people",
    "pr.throughput",
    "Nobody is known as the author of {after} of the last quarter’s pull requests",
    "Do figures lack people who are not matched?",
    reading="Bots and former contractors belong to nobody on purpose, and need not be matched.",
    to_try="Match the remaining accounts to people on the Identities page, the most active first.",
    least=0.05,
)
UNLINKED = _data(
    "missing_links",
    "allocation.unlinked_share",
    "{after} of people's time in the last quarter is linked to no work item",
    "Do figures lack links between changes and work items?",
    reading="Small changes without an item may be agreed on.",
    to_try="Ask for the key of the item in branches or titles, and have the pipeline check it.",
    least=0.2,
)
UNKNOWN_COMMITS = _data(
    "unknown_commits",
    "dora.lead_time",
    "For {after} of the last quarter’s changes it is a guess which deployment brought them to production",
    "Are lead times guessed by time?",
    reading="Where a deployment only brings back an earlier version, there is no change to name.",
    to_try="Have the deployments name the commit that they roll out.",
    least=0.05,
)
STALE = _data(
    "stale_sources",
    "pr.throughput",
    "A source has sent nothing since {day}: {after} of the last quarter is missing",
    "Do figures lack days on which a source sent nothing?",
    reading="A tool that nobody uses any more sends nothing either: disconnect it then.",
    to_try="Open the integrations page and repair the connection, or remove it.",
    least=0.02,
)
SKEW = _data(
    "clock_skew",
    "pr.coding_time",
    "{after} of the last quarter’s merged pull requests have times in an impossible order",
    "Are times in an impossible order, as by a wrong clock?",
    reading="Commits that are written again after opening, as by a rebase, look the same.",
    to_try="Look at the clocks of the machines on which these commits were made.",
    least=0.1,  # some are rebased everywhere
)


def _leavers(metric: str, *, to_try: str) -> Detector:
    """People who left a team after a load that has preceded leaving in the past; `metric` measures that load."""
    return Detector(
        key=f"{metric}.{LEAVERS}",
        kind=LEAVERS,
        metric=metric,
        question=f"Did many people leave after a high load: {get(metric).label_within}?",
        higher="{after} of the people in {unit} left the organisation within six months; in other teams {before} did",
        lower="",
        reading=(
            "People leave for reasons that no figure here shows, such as pay, a new manager or a move. That the load "
            "was high before does not make it the reason."
        ),
        to_try=to_try,
        least=1.0,
    )


OF_LEAVERS = (
    _leavers(
        "capacity.after_hours_share",
        to_try="Ask those who stay what keeps them late. Take one commitment away for a quarter, and compare.",
    ),
    _leavers(
        "capacity.weekend_share",
        to_try="Ask those who stay what the weekends are for. Move it into the week for a quarter, and compare.",
    ),
    _leavers(
        "capacity.review_load",
        to_try="Let another team share the reviews for a quarter, or agree on smaller pull requests, and compare.",
    ),
    _leavers(
        "capacity.wip_per_person",
        to_try="Agree on a limit of work in progress for a quarter, and compare.",
    ),
)
OF_DATA = (UNMATCHED, UNLINKED, UNKNOWN_COMMITS, STALE, SKEW)
DETECTORS: tuple[Detector, ...] = (
    _gap(
        "pr.pickup_time",
        "Pull requests wait {longer} for a review in {unit} {than} in comparable teams",
        reading="Larger or riskier pull requests wait longer everywhere: compare the size of both.",
        to_try="Name a reviewer for each half day, or agree on a time by which a first review begins.",
    ),
    _gap(
        "pr.review_time",
        "Reviews last {longer} in {unit} {than} in comparable teams",
        reading="Thorough reviews last longer, too: look at review depth and at what fails afterwards.",
        to_try="Smaller pull requests, and all comments in one round.",
    ),
    _gap(
        "pr.merge_time",
        "Approved changes wait {longer} to be merged in {unit} {than} in comparable teams",
        reading="A release window or a merge queue makes approved changes wait on purpose.",
        to_try="Merge automatically once a change is approved and its checks are green.",
    ),
    _gap(
        "ci.duration",
        "Pipelines take {longer} in {unit} {than} in comparable teams",
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
        "The duration of reviews",
        reading="New colleagues or a new part of the product take longer to review at first.",
        to_try="Smaller pull requests, and all comments in one round.",
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
        "Lead time (from first commit to production)",
        reading="Work of another kind, such as a large migration, takes longer whatever the team does.",
        to_try="Look at the stage that grew most, and set an objective for it.",
        waits=True,
    ),
    _change(
        "dora.change_failure_rate",
        "The share of deployments that cause a failure",
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
        to_try="Fix or quarantine the flakiest job first.",
    ),
    _change(
        "issue.cycle_time",
        "The time from start to done of work items",
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
        "The share of prompts that agents read from their cache",
        reading="More and shorter sessions lower it, too.",
        to_try="Keep sessions to one task, and context files stable.",
    ),
    # Reviews by few people.
    _gap(
        "review.load_concentration",
        "Reviews in {unit} rest on fewer people than in comparable teams",
        question="Are reviews spread less evenly than in comparable teams",
        reading="A team with one expert for a part of the product has them review it on purpose.",
        to_try="Pair a second reviewer with those who review most, and rotate who is asked first.",
        waits=False,
        least_a_week=ENOUGH_REVIEWS,
    ),
    _change(
        "review.load_concentration",
        "The concentration of reviews on few people",
        verbs="rose",
        reading="Holidays of frequent reviewers concentrate reviews for some weeks.",
        to_try="Rotate who is asked first, and ask those who review least.",
        least_a_week=ENOUGH_REVIEWS,
    ),
    # Work in progress.
    _change(
        "wip.count",
        "The number of work items in progress",
        verbs="rose",
        reading="A larger team, or items that were split up, have more items in progress without more work.",
        to_try="Agree on a limit of work in progress, and finish before starting.",
    ),
    _trend(
        "wip.count",
        "The number of work items in progress",
        reading="A growing team has more items in progress: compare them per person.",
        to_try="Agree on a limit of work in progress, and finish before starting.",
    ),
    # Load: only of teams of at least the minimum group, as for the metrics.
    _change(
        "capacity.after_hours_share",
        "The share of work after hours",
        verbs="rose",
        reading="A release, an incident or people who chose other hours raise it: ask before you conclude.",
        to_try="Ask the team what keeps it late, and take one commitment away.",
    ),
    _trend(
        "capacity.after_hours_share",
        "The share of work after hours",
        reading="People who chose other hours raise it without any load: a working agreement can say so.",
        to_try="Ask the team what keeps it late, and take one commitment away.",
    ),
    _change(
        "capacity.weekend_share",
        "The share of work at weekends",
        verbs="rose",
        reading="A release, an incident or people who chose other days raise it: ask before you conclude.",
        to_try="Ask the team what the weekends are for, and move it into the week.",
    ),
    # Tooling.
    _change(
        "ci.flaky_rate",
        "The share of pipelines that pass only when they are run again",
        verbs="rose",
        reading="An unreliable service that all pipelines use raises it for everybody.",
        to_try="Set the flakiest job aside until it is mended.",
    ),
    _change(
        "ci.queue_time",
        "The time for which pipelines wait for a machine",
        verbs="rose",
        reading="More pipelines at the same hours wait longer, however many machines there are.",
        to_try="Add machines at the busiest hours, or stop pipelines whose commit is no longer the newest.",
        waits=True,
        at_least=60.0,
    ),
    _gap(
        "ci.queue_time",
        "Pipelines wait {longer} for a machine in {unit} {than} in comparable teams",
        reading="Pipelines that need a rare kind of machine wait longer wherever they run.",
        to_try="Compare the kinds of machines that the pipelines ask for.",
        at_least=60.0,
    ),
    # Agents: cost and yield.
    _gap(
        "ai.spend_wasted",
        "{after} of the agent spend in {unit} led to no commit; in comparable teams it is {before}",
        question="Does more agent spend reach no commit than in comparable teams",
        reading="Research and planning with agents lead to no commit, and may be worth their cost.",
        to_try="Look at the longest sessions without a commit together, and at their repositories' context files.",
        waits=False,
        part_of=KNOWN_OUTCOME,
    ),
    _gap(
        "ai.spend_wasted",
        "{after} of the agent spend in {unit} led to no commit; in other repositories it is {before}",
        question="Does more agent spend reach no commit than in other repositories",
        reading="Where agents explore or explain code, sessions lead to no commit on purpose.",
        to_try="Add or mend the repository's context files, and see which tools fail there.",
        waits=False,
        part_of=KNOWN_OUTCOME,
        of_repositories=True,
    ),
    _gap(
        "ai.spend_wasted",
        "{unit} has no agent context file, and {after} of its agent spend led to no commit; with a file it is {before}",
        question="Does a repository without an agent context file waste more than those with one",
        reading="Repositories differ in more than this file: compare the work that agents are given there.",
        to_try="Add AGENTS.md or CLAUDE.md with how to build, test and write there, and look again in a month.",
        waits=False,
        part_of=KNOWN_OUTCOME,
        of_repositories=True,
        without_context=True,
    ),
    _change(
        "ai.spend_wasted",
        "The share of agent spend that leads to no commit",
        verbs="rose",
        reading="Research and planning with agents lead to no commit, and may be worth their cost.",
        to_try="Look at the longest sessions without a commit together, and at their repositories' context files.",
        part_of=KNOWN_OUTCOME,
    ),
    _gap(
        "ai.ship_rate",
        "Only {after} of the lines that agents write in {unit} are committed; in comparable teams it is {before}",
        question="Is less of the agents' code committed than in comparable teams",
        reading="Prototypes and generated tests are thrown away on purpose.",
        to_try="Compare context files with a team whose ship rate is high, and look at failing tools.",
        waits=False,
        is_lower=True,
    ),
    _change(
        "ai.spend_per_merged_pr",
        "Agent spend per merged pull request",
        verbs="rose",
        reading="Larger pull requests cost more: compare their size. Output that follows weeks later lowers it again.",
        to_try="Look at what the dearest sessions were for before the budget is raised.",
    ),
    _change(
        "ai.idle_seats",
        "The number of paid agent seats that stay unused",
        verbs="rose",
        reading="Holidays leave seats idle for a week or two; seats that were just given are not in use yet.",
        to_try="Ask those with an idle seat whether they need it, and give it to somebody who waits for one.",
    ),
    # Cost of change.
    _change(
        "code.rework_rate",
        "The share of code that is rewritten within three weeks",
        verbs="rose",
        reading="A planned refactoring rewrites code on purpose.",
        to_try="Look at which files are rewritten, and whether their requirements changed meanwhile.",
    ),
    _trend(
        "issue.cycle_time",
        "The time from start to done of work items",
        reading="Items of another size or type take another time: compare them by type.",
        to_try="Limit the work in progress, and finish the oldest items first.",
    ),
    _trend(
        "pr.pickup_time",
        "The wait for a first review",
        reading="A growing team has more to review before its newcomers review themselves.",
        to_try="Name a reviewer for each half day, or agree on a time by which a first review begins.",
    ),
    # Reorganisations.
    _move("pr.pickup_time", "The wait for a first review", waits=True),
    _move("pr.cycle_time", "The time from opening to merging a pull request", waits=True),
    _move("issue.cycle_time", "The time from start to done of work items", waits=True),
)
BY_KEY = {detector.key: detector for detector in (*DETECTORS, *OF_DATA, *OF_LEAVERS)}
