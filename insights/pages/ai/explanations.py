"""What to look for: hints that documented rules derive from a window's figures.

Each rule returns a hint or None; a section shows the hints of its rules.
The rules and their thresholds are listed in docs/reference/what-to-look-for.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from insights.leaderboard.ranking import Concentration
from insights.query.query import MetricValue
from insights.ui import wording
from insights.ui.tiles import Link

LOW_ADOPTION_PERCENT = 50.0
LONG_SESSION_SECONDS = 30 * 60
FEW_CALLS = 100  # below that a failing tool is an anecdote
HIGH_ERROR_PERCENT = 10.0
LEADING_TOOL_SHARE = 0.4  # of all failures
LOW_CACHE_HIT_PERCENT = 50.0
FEW_PROMPT_TOKENS = 1_000_000
UNPRICED_SHARE = 0.01
SPEND_RISE = 0.25
STEADY_USE = 0.10
LOW_SHIP_PERCENT = 30.0
FEW_GENERATED_LINES = 1_000
HIGH_WASTE_SHARE = 0.3  # of the spend of which the outcome is known
FEW_DOLLARS = 10.0
STEADY_SHARE_POINTS = 2.0
MANY_DEVELOPERS = 20
FEW_SPEND_MOST_SHARE = 0.5


@dataclass(frozen=True)
class Hint:
    """What stands out, what it may mean, and the link that checks it."""

    text: str
    link: Link


def shown_hints(*hints: Hint | None) -> list[Hint]:
    """The hints of rules that apply."""
    return [hint for hint in hints if hint]


def low_adoption_with_long_sessions(adoption: MetricValue, duration: MetricValue, *, url: str) -> Hint | None:
    """Few people use agents, and those who do have long sessions: adoption has not spread."""
    if adoption.value is None or duration.value is None:
        return None
    if adoption.value >= LOW_ADOPTION_PERCENT or duration.value < LONG_SESSION_SECONDS:
        return None
    return Hint(
        f"Only {wording.reading(adoption.value, 'percent')} of enrolled developers were active, yet their sessions "
        f"last {wording.duration(duration.value)} on average: a few developers get value, but the tool has not "
        "spread. Check licences and onboarding.",
        Link("See who was active", url),
    )


def few_generated_lines_committed(ship_rate: MetricValue, *, url: str) -> Hint | None:
    """Little of what agents write is committed."""
    if ship_rate.value is None or ship_rate.value >= LOW_SHIP_PERCENT:
        return None
    if (ship_rate.denominator or 0) < FEW_GENERATED_LINES:
        return None
    return Hint(
        f"Only {wording.reading(ship_rate.value, 'percent')} of the lines that agents generated were committed: the "
        "output does not match conventions, or sessions are exploratory. Context files tell agents what is expected.",
        Link("See ship rate and context files by repository", url),
    )


def failing_and_not_shipping(ship_rate: MetricValue, error_rate: MetricValue, *, url: str) -> Hint | None:
    """Little is committed, and many tool calls fail: one may cause the other."""
    if few_generated_lines_committed(ship_rate, url=url) is None or ship_rate.value is None:
        return None
    if error_rate.value is None or error_rate.value < HIGH_ERROR_PERCENT or (error_rate.denominator or 0) < FEW_CALLS:
        return None
    return Hint(
        f"Only {wording.reading(ship_rate.value, 'percent')} of the generated lines were committed, and "
        f"{wording.reading(error_rate.value, 'percent')} of tool calls failed. Look for failing tools and "
        "repositories without context files.",
        Link("See error rate and context files by repository", url),
    )


def high_wastage(committed: MetricValue, wasted: MetricValue, *, url: str) -> Hint | None:
    """Much of the spend of which the outcome is known led to no commit."""
    known = (committed.value or 0) + (wasted.value or 0)
    if wasted.value is None or known < FEW_DOLLARS or wasted.value / known < HIGH_WASTE_SHARE:
        return None
    return Hint(
        f"{wording.money(wasted.value)}, {wording.percent_of(wasted.value, known)} of the spend of known outcome, "
        "went to sessions without a commit. Compare repositories with and without context files for agents.",
        Link("See waste by repository", url),
    )


def commits_grow_dearer(
    per_commit: MetricValue, per_commit_before: MetricValue, share: MetricValue, share_before: MetricValue, *, url: str
) -> Hint | None:
    """A commit costs a quarter more than before, while the share of AI code stays about the same."""
    if not per_commit.value or not per_commit_before.value or share.value is None or share_before.value is None:
        return None
    rise = per_commit.value / per_commit_before.value - 1
    if rise < SPEND_RISE or abs(share.value - share_before.value) > STEADY_SHARE_POINTS:
        return None
    return Hint(
        f"Spend per commit rose by {rise:.0%} while the AI share of committed code hardly changed: sessions get "
        "longer without more output.",
        Link("See how it is computed", url),
    )


def spend_rises_without_use(
    spend: MetricValue, spend_before: MetricValue, sessions: MetricValue, sessions_before: MetricValue, *, url: str
) -> Hint | None:
    """Spend grew by a quarter or more while the number of sessions stayed about the same."""
    if not spend.value or not spend_before.value or not sessions.value or not sessions_before.value:
        return None
    rise = spend.value / spend_before.value - 1
    more_sessions = sessions.value / sessions_before.value - 1
    if rise < SPEND_RISE or abs(more_sessions) > STEADY_USE:
        return None
    return Hint(
        f"Spend rose by {rise:.0%} while the number of sessions hardly changed: each session costs more than before. "
        "Look for a change of model or longer contexts.",
        Link("Compare spend by model", url),
    )


def tokens_without_a_price(unpriced: float, tokens: float | None, *, url: str) -> Hint | None:
    """Some tokens belong to models without a price, so the total is too low."""
    if not tokens or unpriced / tokens < UNPRICED_SHARE:
        return None
    return Hint(
        f"{wording.percent_of(unpriced, tokens)} of all tokens belong to models without a known price: their cost is "
        "missing from the total spend.",
        Link("See the tokens by developer", url),
    )


def one_tool_fails(error_rate: MetricValue, by_tool: Mapping[str, MetricValue], *, url: str) -> Hint | None:
    """Many calls fail, and one tool makes up much of it."""
    if error_rate.value is None or error_rate.value < HIGH_ERROR_PERCENT:
        return None
    calls, failures = error_rate.denominator or 0, error_rate.numerator or 0
    if calls < FEW_CALLS or not failures or not by_tool:
        return None
    tool, worst = max(by_tool.items(), key=lambda item: item[1].numerator or 0)
    share = (worst.numerator or 0) / failures
    if share < LEADING_TOOL_SHARE:
        return None
    return Hint(
        f"{wording.reading(error_rate.value, 'percent')} of tool calls fail, and {share:.0%} of the failures are "
        f"calls of {tool}: the agent cannot use that command or service, or lacks context.",
        Link("See the failing calls by session", url),
    )


def cold_cache(cache_hit_rate: MetricValue, *, url: str) -> Hint | None:
    """Most prompt tokens are paid in full, although agents repeat long prefixes."""
    if cache_hit_rate.value is None or cache_hit_rate.value >= LOW_CACHE_HIT_PERCENT:
        return None
    if (cache_hit_rate.denominator or 0) < FEW_PROMPT_TOKENS:
        return None
    return Hint(
        f"Only {wording.reading(cache_hit_rate.value, 'percent')} of prompt tokens come from the cache: sessions are "
        "short or far apart, or something early in the prompt changes with every request.",
        Link("See how it is computed", url),
    )


def few_spend_most(concentration: Concentration | None, *, url: str) -> Hint | None:
    """A tenth of the developers makes up most of the spend."""
    if concentration is None or concentration.people < MANY_DEVELOPERS or concentration.of_spend < FEW_SPEND_MOST_SHARE:
        return None
    spend, lines = (
        wording.reading(100 * share, "percent") for share in (concentration.of_spend, concentration.of_lines)
    )
    return Hint(
        f"{concentration.first:,} of {concentration.people:,} developers make up {spend} of the spend and {lines} of "
        "the AI lines committed. See what they use agents for, and whether the others lack access, training or a use "
        "case.",
        Link("See their sessions", url),
    )
