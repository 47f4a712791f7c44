"""Adoption: who uses agents, and how often."""

from __future__ import annotations

from dataclasses import replace

from insights.pages.answers import Answers
from insights.pages.presenter import tile
from insights.query.query import Dimension
from insights.ui import tiles, wording
from insights.ui.cards import Breakdown, LastActive, Later, Section, Tile, Trend, Units
from insights.ui.filters import Choice

# The denominator of adoption.
OUT_OF = Choice(
    "developers",
    {"enrolled": "Enrolled", "licensed": "With a seat", "everybody": "All"},
    {
        "enrolled": "ai.adoption_rate",
        "licensed": "ai.adoption_of_licensed",
        "everybody": "ai.adoption_of_everybody",
    },
)
# The denominator of the AI share of committed code.
CODE_OF = Choice(
    "code_of",
    {"everybody": "All developers", "enrolled": "Enrolled"},
    {"everybody": "ai.committed_code_share", "enrolled": "ai.committed_code_share_of_enrolled"},
)
CODE = Choice("code", {"language": "Language", "file_type": "Type"})
ANY_USE = ("ai.sessions", "ai.active_developers")
COMMITTED_SHARE = Tile(CODE_OF)

ADOPTION = Section(
    "adoption",
    "Adoption",
    "Who uses agents, and how often",
    cards=(
        LastActive("adoption", OUT_OF, title="Adoption"),
        Tile("ai.active_developers", sample_of=OUT_OF),
        Tile("ai.sessions"),
        Tile("ai.sessions_per_developer"),
        COMMITTED_SHARE,
        Tile("ai.lines_committed"),
        Tile("ai.session_duration"),
        Units(),
        Trend("active_share", "ai.active_share", "{weekly} active users", "area", needs=ANY_USE),
        Trend("active_by_agent", "ai.active_share_by_agent", span=5, by=Dimension.AGENT, needs=ANY_USE, counted=True),
        Breakdown(
            "committed_code",
            "ai.lines_committed",
            by=CODE,
            title="AI committed code",
            span=3,
            explained_by="ai.committed_breakdown",
        ),
        Later(
            "adoption_effect",
            "Before and after adoption",
            "The same people before and after adoption, and developers by agent use",
            csv=(("adoption_effect", "Before and after as CSV"), ("cohorts", "Developers by use as CSV")),
            is_live=False,
        ),
    ),
    look_for=("ai.adoption_rate",),
)


def rate_tile(answers: Answers) -> tiles.Tile:
    """The number of active developers out of all possible ones."""
    rate, out_of = answers.figure(answers.filters.metric(OUT_OF)), answers.filters.picked[OUT_OF.parameter]
    group = {"licensed": "with a seat", "everybody": "developers"}.get(out_of, "enrolled")
    percent = "" if rate.value is None else f"{wording.reading(rate.value, 'percent')} "
    made = tile(Tile("ai.active_developers", sample_of=OUT_OF), answers)
    if made.value is None:
        return replace(made, label="Adoption")
    unit = f"/ {rate.denominator:,.0f} {group}" if rate.denominator else made.unit
    return replace(made, label="Adoption", unit=unit, sample=f"{percent}{made.sample}")
