"""Adoption: who uses agents, and how often."""

from __future__ import annotations

from typing import Any

from insights.pages.ai.explanations import Hint, low_adoption_with_long_sessions, shown_hints
from insights.pages.answers import Answers, PageQuery, compared, rows_url
from insights.pages.attribution.labels import FILE_TYPES
from insights.pages.drawing import Chart, Share, shares
from insights.query.query import Dimension, Granularity
from insights.ui import tiles, wording
from insights.ui.filters import Choice, Filters
from insights.ui.tiles import ChartCard, Link, Tile

# The denominator of adoption.
OUT_OF = Choice("developers", {"enrolled": "Enrolled", "licensed": "With a seat", "everybody": "All"})
RATES = {
    "enrolled": "ai.adoption_rate",
    "licensed": "ai.adoption_of_licensed",
    "everybody": "ai.adoption_of_everybody",
}
# The denominator of the AI share of committed code.
CODE_OF = Choice("code_of", {"everybody": "All developers", "enrolled": "Enrolled"})
CODE_SHARES = {"everybody": "ai.committed_code_share", "enrolled": "ai.committed_code_share_of_enrolled"}
CODE = Choice("code", {"language": "Language", "file_type": "Type"})

ACTIVE_BY_AGENT = Chart(
    "active_by_agent",
    "ai.active_share_by_agent",
    "Active users by agent",
    "line",
    by=Dimension.AGENT,
    counted="sessions",
)
QUERIES = (
    *compared("ai.adoption_rate", "ai.active_developers", "ai.sessions", "ai.sessions_per_developer"),
    *compared("ai.session_duration", "ai.committed_code_share", "ai.lines_committed"),
    PageQuery("ai.requests_without_session", whole=True),
    PageQuery("ai.session_span", whole=True),
)


def rate_key(filters: Filters) -> str:
    """The adoption metric of the picked group of developers."""
    return RATES[filters.picked[OUT_OF.parameter]]


def share_key(filters: Filters) -> str:
    """The AI share metric of the picked group of developers."""
    return CODE_SHARES[filters.picked[CODE_OF.parameter]]


def queries(filters: Filters) -> tuple[PageQuery, ...]:
    return tuple(dict.fromkeys((*QUERIES, *compared(rate_key(filters), share_key(filters)))))


def section(answers: Answers) -> dict[str, Any]:
    return {
        "key": "adoption",
        "title": "Adoption",
        "lede": "Who uses agents, and how often",
        "donut": _donut(answers),
        "tiles": _tiles(answers),
        "charts": _charts(answers),
        "effect_url": answers.part_url("adoption_effect"),
        "effect_csv_urls": [
            Link("Before and after as CSV", answers.page.chart_csv_url(answers.filters, "adoption_effect")),
            Link("Developers by use as CSV", answers.page.chart_csv_url(answers.filters, "cohorts")),
        ],
        "hints": hints(answers),
    }


def hints(answers: Answers) -> list[Hint]:
    adoption, duration = answers.figure("ai.adoption_rate"), answers.figure("ai.session_duration")
    active_url = rows_url(answers.filters, "ai.active_developers")
    return shown_hints(low_adoption_with_long_sessions(adoption, duration, url=active_url))


def rate_tile(answers: Answers) -> Tile:
    """The active developers beside those who could be."""
    rate, out_of = answers.figure(rate_key(answers.filters)), answers.filters.picked[OUT_OF.parameter]
    group = {"licensed": "with a seat", "everybody": "developers"}.get(out_of, "enrolled")
    percent = "" if rate.value is None else f"{wording.reading(rate.value, 'percent')} "
    return answers.tile(
        "ai.active_developers",
        label="Adoption",
        unit=f"/ {rate.denominator:,.0f} {group}" if rate.denominator else None,
        sample=f"{percent}{_out_of(answers)}",
    )


def share_tile(answers: Answers) -> Tile:
    share, code_of = answers.figure(share_key(answers.filters)), answers.filters.picked[CODE_OF.parameter]
    return answers.tile(
        share_key(answers.filters),
        label="AI committed code",
        sample=f"{wording.compact(share.numerator or 0)} of {wording.compact(share.denominator or 0)} lines"
        + (" of enrolled developers" if code_of == "enrolled" else ""),
    )


def _tiles(answers: Answers) -> list[Tile]:
    sessions, lines, open_time = map(answers.figure, ("ai.sessions", "ai.lines_committed", "ai.session_span"))
    behind = f"{wording.compact(sessions.value or 0)} sessions"
    # Only the open time includes a terminal left open.
    open_for = "" if open_time.value is None else f" · open for {wording.duration(open_time.value)}"
    unnamed = answers.figure("ai.requests_without_session").value
    noun = "request" if unnamed == 1 else "requests"
    note = f"excludes {wording.compact(unnamed)} {noun} without a session id" if unnamed else ""
    return [
        answers.tile("ai.active_developers", sample=_out_of(answers)),
        answers.tile("ai.sessions", sample=f"by {wording.count(sessions.people, 'developer')}", note=note),
        answers.tile(
            "ai.sessions_per_developer",
            label="Sessions per developer",
            unit=f"/ {answers.filters.granularity.value}",
            sample=behind,
            note=note,
        ),
        share_tile(answers),
        answers.tile(
            "ai.lines_committed",
            label="AI lines committed",
            sample=f"in {wording.count(lines.sample_size, 'commit')} by {wording.count(lines.people, 'developer')}",
        ),
        answers.tile("ai.session_duration", label="Average session", sample=f"{behind}{open_for}", note=note),
    ]


def _out_of(answers: Answers) -> str:
    rate = answers.figure(rate_key(answers.filters))
    if not rate.denominator:
        return ""
    developers = wording.count(int(rate.denominator), "developer")
    match answers.filters.picked[OUT_OF.parameter]:
        case "licensed":
            return f"{rate.numerator or 0:,.0f} of {developers} with a seat used it"
        case "everybody":
            return f"of {developers}"
        case _:
            return f"of {wording.count(int(rate.denominator), 'enrolled developer')}"


def _donut(answers: Answers) -> ChartCard:
    key = rate_key(answers.filters)
    adoption = answers.figure(key)
    known = adoption.value is not None and bool(adoption.denominator)
    return answers.card(
        "adoption",
        key,
        title="Adoption",
        kind="donut",
        span=4,
        missing=None if known else adoption,
        pickers=answers.pickers(OUT_OF),
        change=answers.change(key),
    )


def donut_parts(answers: Answers) -> list[Share]:
    """Developers by when they were last active: in the latest bucket, earlier in the window, or not in it."""
    answer = answers.answer(rate_key(answers.filters))
    enrolled = int(tiles.whole(answer).denominator or 0)
    active = int(tiles.whole(answer).numerator or 0)
    come = [bucket for bucket in answer.series if bucket.window.start <= answers.filters.today]
    parts: list[tuple[str, str, int]] = []
    if len(come) > 1:
        latest = int(come[-1].numerator or 0)
        parts.append(("latest", f"Since {wording.bucket(come[-1].window, Granularity.WEEK)}", latest))
        parts.append(("earlier", "Earlier in this window", active - latest))
    else:
        parts.append(("latest", "In this window", active))
    parts.append(("not_yet", "Not in this window", enrolled - active))
    return [
        Share(
            key=key,
            label=label,
            role="sequence",
            value=people,
            amount=f"{people:,}",
            percent=wording.percent_of(people, enrolled),
        )
        for key, label, people in parts
    ]


def _charts(answers: Answers) -> list[ChartCard]:
    period = {Granularity.WEEK: "Weekly", Granularity.MONTH: "Monthly", Granularity.QUARTER: "Quarterly"}
    sessions, lines = answers.figure("ai.sessions"), answers.figure("ai.lines_committed")
    missing = None if sessions.value or answers.figure("ai.active_developers").value else sessions
    stub = tiles.stub(answers.answer("ai.adoption_rate").series, answers.filters.granularity)
    not_drawn = f"Not drawn: {wording.days(stub)}, the end of a {answers.filters.granularity.value}." if stub else ""
    return [
        answers.card(
            "active_share",
            "ai.active_share",
            title=f"{period[answers.filters.granularity]} active users",
            kind="area",
            span=4,
            missing=missing,
            caveat=not_drawn,
        ),
        answers.card(
            ACTIVE_BY_AGENT.name,
            ACTIVE_BY_AGENT.metric,
            title=ACTIVE_BY_AGENT.title,
            kind=ACTIVE_BY_AGENT.kind,
            span=5,
            missing=missing,
            caveat=not_drawn,
        ),
        answers.card(
            "committed_code",
            "ai.committed_breakdown",
            title="AI committed code",
            kind="donut",
            span=3,
            missing=None if lines.value else lines,
            pickers=answers.pickers(CODE),
        ),
    ]


def code_parts(answers: Answers) -> list[Share]:
    """AI lines committed by language, highest first, or by file type."""
    dimension = Dimension(answers.filters.picked[CODE.parameter])
    figures = answers.split("ai.lines_committed", dimension)
    written = {name: figure for name, figure in figures.items() if figure.value}
    labels = {"": "No language"} if dimension is Dimension.LANGUAGE else FILE_TYPES
    return shares(written, "lines", role="sequence", labels=labels, rest="Other")
