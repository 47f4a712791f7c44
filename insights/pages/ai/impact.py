"""Impact: generated and committed lines, and work with agents compared with work without.

The phases of each line's cycle time are coding, which precedes it, and review and merge, which make it up.  They are
means, because only means add up, over pull requests with all phases known; the number left out is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.urls import reverse

from insights.catalogue.agents import agent_name, in_agent_order
from insights.catalogue.registry import get
from insights.engine.compared_lines import ANY_AGENT, WITHOUT
from insights.pages import presenter
from insights.pages.ai import adoption, lines
from insights.pages.ai.answers import IMPACT_PAGE
from insights.pages.answers import Answers, PageQuery, compared, rows_url
from insights.pages.compared import line_name, marker
from insights.pages.drawing import rows_of_part
from insights.query.query import Dimension, MetricValue
from insights.ui import tiles, wording
from insights.ui.cards import Section, Trend
from insights.ui.filters import Filters
from insights.ui.tiles import Link

QUERIES = (
    *compared("ai.lines_generated", "ai.lines_committed", "ai.committed_code_share", "ai.ship_rate", "ai.error_rate"),
    PageQuery("ai.lines_generated", Dimension.AGENT, whole=True),
    PageQuery("ai.lines_committed", Dimension.AGENT, whole=True),
)


CHOICES = (lines.LINE, lines.WORK, lines.CYCLE)
IMPACT = Section(
    "impact",
    "Impact",
    "What agents write, and how much of it is committed",
    cards=(Trend("committed_share", adoption.CODE_OF, "AI share of committed code", "area", span=8),),
    look_for=("ai.ship_rate",),
)


def queries(filters: Filters) -> tuple[PageQuery, ...]:
    """The queries of all work; a picked type of work is read by a part of the page."""
    of_lines = (*lines.queries(filters), *phase_queries()) if lines.of_work(filters) is filters else ()
    return tuple(dict.fromkeys((*QUERIES, *presenter.queries(IMPACT, filters), *of_lines)))


def section(answers: Answers, *, has_repositories: bool) -> dict[str, Any]:
    comparison = _comparison(answers)
    section = IMPACT if has_repositories else replace(IMPACT, cards=())
    return {
        **presenter.shown(section, answers),
        "lines": _lines_by_agent(answers),
        "missing_input": None if has_repositories or comparison else _needs_repositories(),
        "compared": comparison or None,
    }


def _needs_repositories() -> dict[str, Any]:
    return {
        "title": "Committed code",
        "headline": "Needs a repository",
        "text": (
            "Telemetry shows what agents write, not what is committed. Connect a git repository on this machine by its "
            "path; this needs no token and stores no code."
        ),
        "will_show": (
            "AI lines committed, of those generated",
            "AI share of the committed code, by language and type",
            "Spend that led to a commit, and spend that did not",
            "Repositories with context files for agents",
        ),
        "link": Link("Connect a repository", reverse("connect_repository")),
    }


def _comparison(answers: Answers) -> dict[str, Any] | None:
    """None without pull requests and work items.  A picked type of work loads later, from facts."""
    if lines.of_work(answers.filters) is not answers.filters:
        return _cards(answers, None)
    if not any(lines.figures_of(answers, key) for key in lines.COMPARED):
        return None
    return _cards(answers, answers)


def compared_work(filters: Filters) -> dict[str, Any]:
    """The same for the picked type of work, for a part of the page."""
    narrowed = lines.of_work(filters)
    answers = IMPACT_PAGE.read(narrowed, (*lines.queries(narrowed), *phase_queries()))
    return _cards(replace(answers, filters=filters), answers)


def _cards(page: Answers, by_line: Answers | None) -> dict[str, Any]:
    filters = page.filters
    return {
        "line": lines.LINE.options[filters.picked[lines.LINE.parameter]],
        "lines": lines.line_pickers(by_line, page),
        "work": page.pickers(lines.WORK),
        "charts": lines.cards(by_line, page) if by_line else (),
        "charts_url": "" if by_line else page.part_url("compared"),
        "phases": phases_card(by_line) if by_line else None,
        "part_url": page.part_url("differences"),
        "part_csv_url": IMPACT_PAGE.chart_csv_url(filters, "differences"),
        "rows": [
            Link("Show the pull requests", lines.facts_rows_url(filters, lines.MERGED)),
            Link("Show the work items", lines.facts_rows_url(filters, lines.DELIVERED)),
        ],
    }


def _lines_by_agent(answers: Answers) -> dict[str, Any]:
    metric = get("ai.lines_committed")
    committed, generated = answers.figure(metric.key), answers.figure("ai.lines_generated")
    known = bool(committed.value or generated.value)
    headline, key = (committed, metric.key) if committed.value is not None else (generated, "ai.lines_generated")
    return {
        "card": answers.card(
            "lines_by_agent",
            key,
            title="AI lines committed vs. generated" if committed.value is not None else "Lines generated by agent",
            kind="stacked_bar",
            span=4,
            missing=None if known else generated,
        ),
        "value": wording.reading(headline.value or 0, metric.unit) if known else None,
        "change": answers.change(key),
        "sample": _sample(committed, generated),
        "bars": lines_bars(answers),
        "caveat": tiles.evidence_range(metric, committed),
    }


def _sample(committed: MetricValue, generated: MetricValue) -> str:
    if committed.value is None:
        return f"in {wording.count(generated.sample_size, 'session')}"
    return f"committed, {wording.compact(generated.value or 0)} generated"


def cycle_time_card(answers: Answers) -> tiles.ChartCard:
    """Only the chart of the comparison, which explains itself why it is empty."""
    return answers.card("cycle_time", lines.CYCLE_TIME, title="PR cycle time", kind="line", span=6)


def lines_bars(answers: Answers) -> list[dict[str, Any]]:
    """A bar for each agent that generated or committed lines, in the agents' order."""
    committed = answers.split("ai.lines_committed", Dimension.AGENT)
    generated = answers.split("ai.lines_generated", Dimension.AGENT)
    figures = [*committed.values(), *generated.values()]
    longest = max((figure.value or 0 for figure in figures), default=0) or 1
    return [
        _bar(answers.filters, agent, committed.get(agent), generated.get(agent), longest)
        for agent in in_agent_order({*committed, *generated})
        if any(figure and figure.value for figure in (committed.get(agent), generated.get(agent)))
    ]


def _bar(
    filters: Filters, agent: str, committed: MetricValue | None, generated: MetricValue | None, longest: float
) -> dict[str, Any]:
    committed_lines = (committed.value if committed else None) or 0
    written = (generated.value if generated else None) or 0
    return {
        "key": agent,
        "label": agent_name(agent),
        "committed": wording.compact(committed_lines),
        "generated": wording.compact(written) if written else "",
        # Commit-level evidence is an upper bound: it can give an agent more lines than its sessions report.
        "percent": wording.percent_of(committed_lines, written) if 0 < committed_lines <= written else "",
        "committed_fraction": committed_lines / longest,
        "generated_fraction": written / longest,
        "rows_url": rows_of_part(
            filters, f"ai.lines_{'committed' if committed_lines else 'generated'}", Dimension.AGENT, agent
        ),
    }


PHASES: Mapping[str, tuple[str, str]] = {
    "coding": ("pr.coding_phase", "Coding"),
    "review": ("pr.review_phase", "Review"),
    "merge": ("pr.merge_phase", "Merge"),
}


def phase_queries() -> tuple[PageQuery, ...]:
    return tuple(
        PageQuery(metric, split, unfiltered_by=Dimension.AGENT, whole=True)
        for metric, _ in PHASES.values()
        for split in lines.LINE_SPLITS
    )


def means_of_lines(answers: Answers) -> Iterator[tuple[str, Sequence[float], int, int]]:
    """Each line with the mean seconds of its phases, the number of pull requests, and the number left out."""
    for line in _lines_with_phases(answers):
        if means := _phase_means(answers, line):
            known = means["review"][1]
            yield line, [mean for mean, _ in means.values()], known, _pull_requests_left_out(answers, line, known)


def phases_card(answers: Answers) -> dict[str, Any]:
    means = {line: _phase_means(answers, line) for line in _lines_with_phases(answers)}
    known = {line: phases for line, phases in means.items() if phases}
    before = max((phases["coding"][0] for phases in known.values()), default=0.0)
    after = max((phases["review"][0] + phases["merge"][0] for phases in known.values()), default=0.0)
    scale = before + after or 1.0
    missing = None if known else _figure_without_value(answers)
    return {
        "card": answers.card(
            "phases",
            PHASES["review"][0],
            title="PR phases, mean",
            kind="stacked_bar",
            span=4,
            missing=missing,
        ),
        "lines": [_phases_of_line(answers, line, phases, before, scale) for line, phases in known.items()],
        "border": before / scale,
        "legend": [(key, label, rows_url(answers.filters, metric)) for key, (metric, label) in PHASES.items()],
    }


def _lines_with_phases(answers: Answers) -> Sequence[str]:
    """The agents and Non-AI; any agent if there are several."""
    names = list(lines.figures_of(answers, lines.MERGED))
    agents = [line for line in names if line not in (WITHOUT, ANY_AGENT)]
    either = [line for line in (ANY_AGENT, WITHOUT) if line in names and (line == WITHOUT or len(agents) != 1)]
    return [*agents, *either]


def _phase_means(answers: Answers, line: str) -> Mapping[str, tuple[float, int]]:
    """Phase → mean seconds and number of pull requests; empty where nothing is known or may be shown."""
    means: dict[str, tuple[float, int]] = {}
    for phase, (metric, _) in PHASES.items():
        figure = _phase_figure(answers, metric, line)
        if figure is None or figure.value is None:
            return {}
        means[phase] = figure.value, figure.sample_size
    return means


def _phases_of_line(
    answers: Answers, line: str, means: Mapping[str, tuple[float, int]], before: float, scale: float
) -> dict[str, Any]:
    coding, review, merge = (means[phase][0] for phase in PHASES)
    starts = {"coding": before - coding, "review": before, "merge": before + review}
    known = means["review"][1]
    left_out = _pull_requests_left_out(answers, line, known)
    return {
        "key": marker(line),
        "label": line_name(line),
        "bars": [
            {
                "key": phase,
                "label": label,
                "value": str(wording.duration(means[phase][0])),
                "start": starts[phase] / scale,
                "fraction": means[phase][0] / scale,
                "rows_url": rows_of_part(answers.filters, metric, Dimension.AGENT, marker(line)),
            }
            for phase, (metric, label) in PHASES.items()
        ],
        "cycle": str(wording.duration(review + merge)),
        "sample": wording.count(known, "PR"),
        "left_out": f"{left_out:,} excluded" if left_out > 0 else "",
    }


def _pull_requests_left_out(answers: Answers, line: str, known: int) -> int:
    merged = lines.figures_of(answers, lines.MERGED)[line]
    return max(0, merged.sample_size - known)


def _phase_figure(answers: Answers, metric: str, line: str) -> MetricValue | None:
    split = Dimension.ASSISTANCE if line in (ANY_AGENT, WITHOUT) else Dimension.AGENT
    answer = answers.now[PageQuery(metric, split, unfiltered_by=Dimension.AGENT, whole=True)]
    return tiles.by_segment(answer, split).get(line)


def _figure_without_value(answers: Answers) -> MetricValue:
    """A figure that has the reason for missing data."""
    review, _ = PHASES["review"]
    answer = answers.now[PageQuery(review, Dimension.ASSISTANCE, unfiltered_by=Dimension.AGENT, whole=True)]
    return next((figure for figure in answer.total if figure.value is None), answer.total[0])
