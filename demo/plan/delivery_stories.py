"""Stories planted in the demo's delivery, with the metrics they should move.

They have the form of stories.py: whom a story concerns, in which weeks, what it changes, and what a reader should
find.  The keys are those of figures that a test reads from pull requests, runs and deployments; their
facet is the repository.  The flavour `quiet` has none of them, and reviews sooner.
"""

from __future__ import annotations

from dataclasses import dataclass

from demo.plan.people import CHECKOUT, DATA, LOGISTICS, MOBILE, PLATFORM, SEARCH, TOOLING
from demo.plan.stories import Expectation, Flavour, Reading, Weeks


@dataclass(frozen=True, slots=True)
class DeliveryEffect:
    """A story's effect on the work of a team; the defaults change nothing."""

    pickup_factor: float = 1.0  # times the hours until a first review
    commits_factor: float = 1.0  # times the commits of a pull request
    deployment_failures: float | None = None  # chance that a deployment to production fails users
    flaky_runs: float | None = None  # chance that a run fails and succeeds when it is tried again
    upkeep: float | None = None  # share of bugs among its pull requests and their issues
    works_at_weekends: bool = False  # reviews and merges happen on Saturdays and Sundays, too
    reviewers: int | None = None  # that many of the team review; otherwise all do
    pipeline_factor: float = 1.0  # times the minutes of a pipeline
    gathered_hours: float | None = None  # merges within that many hours are deployed together


@dataclass(frozen=True, slots=True)
class DeliveryStory:
    key: str
    tells: str
    team: str
    weeks: Weeks
    effect: DeliveryEffect
    expectations: tuple[Expectation, ...]
    noted: str = ""  # what somebody writes on the team's charts on the day after the weeks
    is_excused: bool = False  # the note is an event of these weeks that explains what changes in them


_OF = {
    CHECKOUT: {"repository": "checkout-api"},
    SEARCH: {"repository": "search-service"},
    MOBILE: {"repository": "storefront-app"},
    DATA: {"repository": "warehouse-models"},
    PLATFORM: {"repository": "platform-deployment"},
    LOGISTICS: {"repository": "parcel-routing"},
}
AGREED_WEEKS = 14  # before the end
CACHED_WEEKS = 10  # as above: when a pilot began
BEFORE_AGREEMENT, SINCE_AGREEMENT = Weeks(52, AGREED_WEEKS), Weeks(AGREED_WEEKS - 2, 0)
KEPT_WEEKS = Weeks(AGREED_WEEKS, 0)
FEW_REVIEWERS = Weeks(26, 0)  # twelve weeks longer than those whose waits are asked for their cause
RELEASE_DAYS = Weeks(52, 0)
BEFORE_SLOW_REVIEWS, SLOW_REVIEWS, BIG_PULL_REQUESTS, FAILING, FLAKY, UPKEEP, WEEKENDS, BEFORE_TRAINING, TRAINING = (
    Weeks(52, 18),
    Weeks(18, 0),
    Weeks(52, 0),
    Weeks(10, 0),
    Weeks(12, 0),
    Weeks(12, 0),
    Weeks(9, 5),
    Weeks(52, 12),
    Weeks(12, 0),
)

# Usual waits are often over night: how much longer others are, or what an agreement changed, would depend on when the
# demo ends.
DELIVERY_STORIES: tuple[DeliveryStory, ...] = (
    DeliveryStory(
        key="quick_reviews",
        tells="For most of the year Search reviewed within hours.",
        team=SEARCH,
        weeks=BEFORE_SLOW_REVIEWS,
        effect=DeliveryEffect(pickup_factor=0.3),
        expectations=(Expectation("pr.pickup_time", Weeks(52, 20), Reading.AT_MOST, 8 * 3600, facets=_OF[SEARCH]),),
    ),
    DeliveryStory(
        key="slow_reviews",
        tells="For eighteen weeks Search's pull requests have waited several days for a first review.",
        team=SEARCH,
        weeks=SLOW_REVIEWS,
        effect=DeliveryEffect(pickup_factor=12.0),
        expectations=(
            Expectation(
                "pr.pickup_time",
                SLOW_REVIEWS,
                Reading.TIMES_AT_LEAST,
                3.0,
                compared_with=Weeks(52, 20),
                facets=_OF[SEARCH],
            ),
            Expectation("pr.pickup_time", SLOW_REVIEWS, Reading.AT_LEAST, 24 * 3600, facets=_OF[SEARCH]),
        ),
    ),
    DeliveryStory(
        key="few_reviewers",
        tells="For half a year two people have reviewed for all of Search, which they no longer keep up with.",
        team=SEARCH,
        weeks=FEW_REVIEWERS,
        effect=DeliveryEffect(reviewers=2),
        expectations=(),
    ),
    DeliveryStory(
        key="review_agreement",
        tells="Fourteen weeks ago Platform agreed to review within a day: what it changes reaches users sooner.",
        team=PLATFORM,
        weeks=BEFORE_AGREEMENT,
        effect=DeliveryEffect(pickup_factor=5.0),
        expectations=(
            Expectation(
                "pr.pickup_time",
                Weeks(40, AGREED_WEEKS),
                Reading.TIMES_AT_LEAST,
                2.0,
                compared_with=SINCE_AGREEMENT,
                facets=_OF[PLATFORM],
            ),
            Expectation(
                "dora.lead_time",
                Weeks(40, AGREED_WEEKS),
                Reading.TIMES_AT_LEAST,
                1.5,
                compared_with=SINCE_AGREEMENT,
                facets=_OF[PLATFORM],
            ),
        ),
        noted="Working agreement: a first review within a day",
    ),
    DeliveryStory(
        key="agreement_kept",
        tells="Since then Platform has reviewed within hours.",
        team=PLATFORM,
        weeks=KEPT_WEEKS,
        effect=DeliveryEffect(pickup_factor=0.3),
        expectations=(Expectation("pr.pickup_time", KEPT_WEEKS, Reading.AT_MOST, 4 * 3600, facets=_OF[PLATFORM]),),
    ),
    DeliveryStory(
        key="big_pull_requests",
        tells="Data collects many commits in a pull request, and its pull requests are large.",
        team=DATA,
        weeks=BIG_PULL_REQUESTS,
        effect=DeliveryEffect(commits_factor=5.0),
        expectations=(
            Expectation("pr.size", Weeks(26, 0), Reading.AT_LEAST, 100, facets=_OF[DATA]),
            Expectation("pr.size", Weeks(26, 0), Reading.AT_MOST, 90, facets=_OF[CHECKOUT]),
        ),
    ),
    DeliveryStory(
        key="release_days",
        tells="Logistics releases every other day: what is finished meanwhile goes out together.",
        team=LOGISTICS,
        weeks=RELEASE_DAYS,
        effect=DeliveryEffect(gathered_hours=48.0),
        expectations=(
            Expectation("dora.deployment_frequency", Weeks(26, 0), Reading.AT_MOST, 0.75, facets=_OF[LOGISTICS]),
        ),
    ),
    DeliveryStory(
        key="failing_deployments",
        tells="Ten weeks ago Checkout changed how it deploys, and every third deployment has failed or hurt since.",
        team=CHECKOUT,
        weeks=FAILING,
        effect=DeliveryEffect(deployment_failures=0.4),
        expectations=(
            Expectation("deployment.failure_rate", FAILING, Reading.AT_LEAST, 10, facets=_OF[CHECKOUT]),
            Expectation("deployment.failure_rate", Weeks(40, 12), Reading.AT_MOST, 8, facets=_OF[CHECKOUT]),
            Expectation(
                "deployment.failure_rate",
                FAILING,
                Reading.TIMES_AT_LEAST,
                2.0,
                compared_with=Weeks(40, 12),
                facets=_OF[CHECKOUT],
            ),
        ),
    ),
    DeliveryStory(
        key="flaky_pipeline",
        tells="For twelve weeks Mobile's tests have failed and passed when they were run again.",
        team=MOBILE,
        weeks=FLAKY,
        effect=DeliveryEffect(flaky_runs=0.35),
        expectations=(
            Expectation("ci.flaky_rate", FLAKY, Reading.AT_LEAST, 20, facets=_OF[MOBILE]),
            Expectation("ci.flaky_rate", Weeks(52, 14), Reading.AT_MOST, 8, facets=_OF[MOBILE]),
        ),
    ),
    *(
        DeliveryStory(
            key=f"cached_pipeline_{team.lower()}",
            tells=f"Since a pilot ten weeks ago {team}’s pipelines keep what they install, and take half as long.",
            team=team,
            weeks=Weeks(CACHED_WEEKS, 0),
            effect=DeliveryEffect(pipeline_factor=0.5),
            expectations=(),
        )
        for team in (CHECKOUT, TOOLING)
    ),
    DeliveryStory(
        key="growing_upkeep",
        tells="For twelve weeks Mobile has spent more and more of its time on bugs: twice what it aims at.",
        team=MOBILE,
        weeks=UPKEEP,
        effect=DeliveryEffect(upkeep=0.62),
        expectations=(),
    ),
    DeliveryStory(
        key="prompt_reviews",
        tells="Before that, Mobile's reviews began the same day …",
        team=MOBILE,
        weeks=BEFORE_TRAINING,
        effect=DeliveryEffect(pickup_factor=0.5),
        expectations=(),
    ),
    DeliveryStory(
        key="security_training",
        tells="… and for twelve weeks half of Mobile has been in a security training each week: reviews wait for it.",
        team=MOBILE,
        weeks=TRAINING,
        effect=DeliveryEffect(pickup_factor=3.0),
        expectations=(
            Expectation(
                "pr.pickup_time",
                TRAINING,
                Reading.TIMES_AT_LEAST,
                1.3,
                compared_with=Weeks(40, 14),
                facets=_OF[MOBILE],
            ),
        ),
        noted="Security training: half of the team each week",
        is_excused=True,
    ),
    DeliveryStory(
        key="weekend_work",
        tells="Before a release the Data team worked at weekends for four weeks: it committed and reviewed then.",
        team=DATA,
        weeks=WEEKENDS,
        effect=DeliveryEffect(works_at_weekends=True),
        expectations=(
            Expectation("commit.weekend_share", WEEKENDS, Reading.AT_LEAST, 10, facets=_OF[DATA]),
            Expectation("commit.weekend_share", Weeks(30, 10), Reading.AT_MOST, 6, facets=_OF[DATA]),
        ),
    ),
)


# With the usual waits coding takes about as long, and some team's bottleneck would be its reviews by chance.
_QUIET = DeliveryEffect(pickup_factor=0.2)


def effects_on(flavour: Flavour, team: str, weeks_before_end: int) -> list[DeliveryEffect]:
    """The effects of the flavour's stories on the team's work in that week."""
    if flavour.is_quiet:
        return [_QUIET]
    return [story.effect for story in DELIVERY_STORIES if story.team == team and weeks_before_end in story.weeks]


def together(effects: list[DeliveryEffect]) -> DeliveryEffect:
    """The combined effect of all of them."""
    pickup = commits = pipeline = 1.0
    for effect in effects:
        pickup *= effect.pickup_factor
        commits *= effect.commits_factor
        pipeline *= effect.pipeline_factor
    failures = [
        story_effect.deployment_failures for story_effect in effects if story_effect.deployment_failures is not None
    ]
    flaky = [story_effect.flaky_runs for story_effect in effects if story_effect.flaky_runs is not None]
    return DeliveryEffect(
        pickup_factor=pickup,
        commits_factor=commits,
        deployment_failures=max(failures, default=None),
        flaky_runs=max(flaky, default=None),
        upkeep=max((one.upkeep for one in effects if one.upkeep is not None), default=None),
        works_at_weekends=any(story_effect.works_at_weekends for story_effect in effects),
        reviewers=min((one.reviewers for one in effects if one.reviewers is not None), default=None),
        pipeline_factor=pipeline,
        gathered_hours=max((one.gathered_hours for one in effects if one.gathered_hours is not None), default=None),
    )
