"""The demo's benchmarks and focus versions, set over the year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from demo.load.personas import PERSONAS
from demo.plan.people import CHECKOUT, PLATFORM, SEARCH
from demo.plan.year import DemoYear
from orgtree.access.access import access_of
from programs.benchmarks.services.focusing import STARTER_SETS, set_focus
from programs.benchmarks.services.writing import set_benchmark
from programs.models import BenchmarkVersion, FocusVersion

HOUR = 3600.0
EVERYBODY = ""
EXECUTIVE, MANAGER = "executive", "manager"


@dataclass(frozen=True, slots=True)
class DemoBenchmark:
    """Agreed so many days before the demo's end; values in the metric's unit."""

    metric: str
    team: str
    threshold: float
    target: float
    days_ago: int
    reason: str
    by: str = EXECUTIVE
    period: str = ""


@dataclass(frozen=True, slots=True)
class DemoFocus:
    team: str
    metric: str
    starter_set: str
    days_ago: int
    reason: str
    by: str = EXECUTIVE


BENCHMARKS = (
    DemoBenchmark(
        "dora.lead_time", EVERYBODY, 72 * HOUR, 24 * HOUR, 270,
        "A fix that is ready on Monday should be with customers by Thursday.",
    ),
    DemoBenchmark(
        "dora.lead_time", EVERYBODY, 48 * HOUR, 24 * HOUR, 90,
        "Most teams are below three days. Two days is what the best half reaches; the long-term target stays.",
    ),
    DemoBenchmark(
        "dora.deployment_frequency", EVERYBODY, 3.0, 5.0, 270,
        "Several releases a day keep each of them small.",
    ),
    DemoBenchmark(
        "dora.deployment_frequency", CHECKOUT, 1.0, 2.0, 60,
        "A release on every workday, small enough to undo.", MANAGER,
    ),
    DemoBenchmark(
        "dora.change_failure_rate", EVERYBODY, 4.0, 2.0, 200,
        "Support counts three complaints for each release that fails.",
    ),
    DemoBenchmark(
        "dora.recovery_time", EVERYBODY, 4 * HOUR, 1 * HOUR, 200,
        "An outage ends within the half day in which it begins.",
    ),
    DemoBenchmark(
        "dora.rework_rate", EVERYBODY, 6.0, 2.0, 200, "Unplanned releases take the time of planned ones.",
    ),
    DemoBenchmark(
        "ai.adoption_rate", EVERYBODY, 60.0, 85.0, 150,
        "Seats are paid for everybody; a team decides itself what it uses an agent for.", period="week",
    ),
    DemoBenchmark(
        "pr.pickup_time", EVERYBODY, 12 * HOUR, 4 * HOUR, 150, "Whoever asks for a review gets one on the same day.",
    ),
    DemoBenchmark(
        "dora.change_failure_rate", CHECKOUT, 10.0, 4.0, 14,
        "One release in seven fails users since September. First below one in ten; then where the others are.", MANAGER,
    ),
    DemoBenchmark(
        "dora.lead_time", CHECKOUT, 30 * HOUR, 18 * HOUR, 60,
        "We release on every merge already: what is left is review and coding.", MANAGER,
    ),
    DemoBenchmark(
        "pr.pickup_time", SEARCH, 24 * HOUR, 8 * HOUR, 40,
        "Reviews wait for days since September. A day is a first step that the rota can reach.",
    ),
)  # fmt: skip

FOCUS = (
    DemoFocus(EVERYBODY, "dora.lead_time", "dora", 270, "One thing for the year: customers wait for fixes."),
    DemoFocus(CHECKOUT, "dora.lead_time", "dora", 180, "With the others, from coding to production.", MANAGER),
    DemoFocus(
        CHECKOUT, "dora.change_failure_rate", "dora", 14,
        "Faster is no use while one release in seven fails users.", MANAGER,
    ),
    DemoFocus(SEARCH, "pr.pickup_time", "hygiene", 40, "Reviews wait for days: the rota begins this month."),
    DemoFocus(PLATFORM, "pr.review_depth", "space", 120, "Review depth is uneven since the working agreement."),
)  # fmt: skip


def write_demo_benchmarks(year: DemoYear, *, today: date) -> None:
    """What is there already stays: a second call changes nothing."""
    if year.flavour.is_quiet:
        return
    access = {
        persona.role: access_of(User.objects.get(username=persona.email))
        for persona in PERSONAS
        if persona.role in (EXECUTIVE, MANAGER)
    }
    agreed = {(metric, unit or "") for metric, unit in BenchmarkVersion.objects.values_list("metric", "unit__slug")}
    numbers: dict[tuple[str, str], int] = {}
    for benchmark in BENCHMARKS:
        key = (benchmark.metric, benchmark.team.lower())
        if key in agreed:
            continue
        given = {
            "metric": benchmark.metric,
            "unit": benchmark.team.lower(),
            "threshold": benchmark.threshold,
            "target": benchmark.target,
            "reason": benchmark.reason,
            "period": benchmark.period,
            "is_to_hold": True,
        }
        at = _noon(today, benchmark.days_ago)
        numbers[key] = set_benchmark(access[benchmark.by], given, of_number=numbers.get(key, 0), at=at).number
    chosen = {unit or "" for unit in FocusVersion.objects.values_list("unit__slug", flat=True)}
    versions: dict[str, int] = {}
    for focus in FOCUS:
        unit = focus.team.lower()
        if unit in chosen:
            continue
        indicators = tuple(metric.key for metric in STARTER_SETS[focus.starter_set].metrics)
        focus_given = {"unit": unit, "metric": focus.metric, "indicators": indicators, "reason": focus.reason}
        stored = set_focus(
            access[focus.by],
            focus_given,
            of_number=versions.get(unit, 0),
            starter_set=focus.starter_set,
            at=_noon(today, focus.days_ago),
        )
        versions[unit] = stored.number


def _noon(today: date, days_ago: int) -> datetime:
    return timezone.make_aware(datetime.combine(today - timedelta(days=days_ago), time(12)))
