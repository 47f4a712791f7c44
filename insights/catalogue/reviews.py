"""Reviews: how many each developer gives, and how they are distributed."""

from __future__ import annotations

from insights.catalogue.declarations import PerPersonAndPeriod
from insights.catalogue.pull_requests import REVIEW, SOURCE
from insights.catalogue.references import GINI_COEFFICIENT, SPACE_FRAMEWORK
from insights.catalogue.shares import Concentration
from insights.query.enums import Better, Category, SpaceDimension
from insights.query.measures import Facts, Gini, People
from insights.query.query import Dimension
from integrations.facts.developers import DEVELOPER_DAYS
from integrations.facts.reviews import REVIEWERS, REVIEWS_GIVEN

DIMENSIONS = (Dimension.ASSISTANCE, Dimension.WORK_TYPE, Dimension.REPOSITORY, Dimension.SIZE_CLASS)
# Not by agent: a reviewer of two agents' work would appear on both lines, each with part of their load, and the lines'
# coefficients would say nothing about the distribution of the load.
GIVEN_DIMENSIONS = (*DIMENSIONS, Dimension.AGENT)
GIVEN = f"Reviews count on the day of submission; {REVIEW}. Reviews of bots' pull requests are left out."

GIVEN_PER_DEVELOPER = PerPersonAndPeriod(
    key="review.given_per_developer",
    name="Reviews per developer",
    fact="review",
    meaning="How many reviews an active developer gives in a week, month or quarter.",
    formula=(
        "reviews ÷ active developers ÷ number of weeks (months, quarters) of the window that have begun; a clipped one "
        "counts by its share of days. Active: a commit, a pull request opened or merged, a review, a completed work "
        f"item or an agent session in the window, in any repository or project. {GIVEN}"
    ),
    numerator=Facts(REVIEWS_GIVEN),
    denominator=People(DEVELOPER_DAYS).undivided_by(*GIVEN_DIMENSIONS),
    better=Better.HIGHER,
    categories=(Category.HYGIENE, Category.EFFICIENCY),
    space=(SpaceDimension.COMMUNICATION, SpaceDimension.ACTIVITY),
    segments=GIVEN_DIMENSIONS,
    positive_indicators=("pr.pickup_time", "pr.unreviewed_rate"),
    negative_indicators=("review.load_concentration",),
    source=SOURCE,
    reference=SPACE_FRAMEWORK,
)

LOAD_CONCENTRATION = Concentration(
    key="review.load_concentration",
    name="Review concentration",
    fact="review",
    meaning="How unevenly reviews are spread among reviewers.",
    formula=(
        "Gini coefficient × 100 of the reviews per person, of the people with a review in the window: 0 if all gave "
        "the same number, near 100 if a few gave nearly all. Reviewers are people, so it is not split by agent. "
        f"{GIVEN}"
    ),
    of=Gini(REVIEWERS),
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.COMMUNICATION,),
    segments=DIMENSIONS,
    positive_indicators=("review.given_per_developer",),
    negative_indicators=("pr.pickup_time", "pr.review_time"),
    source=SOURCE,
    reference=GINI_COEFFICIENT,
)
