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
    """A benchmark agreed that many days before the demo's end; values in the metric's unit."""

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
        "A fix that is ready on Monday should reach customers by Thursday.",
    ),
    DemoBenchmark(
        "dora.lead_time", EVERYBODY, 48 * HOUR, 24 * HOUR, 90,
        "Most teams are below three days, and the best half is at two. The long-term target stays.",
    ),
    DemoBenchmark(
        "dora.deployment_frequency", EVERYBODY, 3.0, 5.0, 270,
        "Several releases a day keep each one small.",
    ),
    DemoBenchmark(
        "dora.deployment_frequency", CHECKOUT, 1.0, 2.0, 60,
        "A release every workday, small enough to roll back.", MANAGER,
    ),
    DemoBenchmark(
        "dora.change_failure_rate", EVERYBODY, 4.0, 2.0, 200,
        "Support gets three complaints for every failed release.",
    ),
    DemoBenchmark(
        "dora.recovery_time", EVERYBODY, 4 * HOUR, 1 * HOUR, 200,
        "Outages should be over within half a day.",
    ),
    DemoBenchmark(
        "dora.rework_rate", EVERYBODY, 6.0, 2.0, 200, "Unplanned releases take time from planned ones.",
    ),
    DemoBenchmark(
        "ai.adoption_rate", EVERYBODY, 60.0, 85.0, 150,
        "We pay for everybody's seat; each team decides what to use agents for.", period="week",
    ),
    DemoBenchmark(
        "pr.pickup_time", EVERYBODY, 12 * HOUR, 4 * HOUR, 150, "A review requested today gets done today.",
    ),
    DemoBenchmark(
        "dora.change_failure_rate", CHECKOUT, 10.0, 4.0, 14,
        "One release in seven has failed since September. First one in ten, then level with other teams.", MANAGER,
    ),
    DemoBenchmark(
        "dora.lead_time", CHECKOUT, 30 * HOUR, 18 * HOUR, 60,
        "We already release on every merge; what remains is coding and review.", MANAGER,
    ),
    DemoBenchmark(
        "pr.pickup_time", SEARCH, 24 * HOUR, 8 * HOUR, 40,
        "Reviews have taken days since September. One day is a first step the rota can reach.",
    ),
)  # fmt: skip

FOCUS = (
    DemoFocus(EVERYBODY, "dora.lead_time", "dora", 270, "Our focus for the year: customers wait too long for fixes."),
    DemoFocus(CHECKOUT, "dora.lead_time", "dora", 180, "Same focus as everyone, from coding to production.", MANAGER),
    DemoFocus(
        CHECKOUT, "dora.change_failure_rate", "dora", 14,
        "Shipping faster will not help while one release in seven fails.", MANAGER,
    ),
    DemoFocus(SEARCH, "pr.pickup_time", "hygiene", 40, "Reviews wait for days; the rota starts this month."),
    DemoFocus(PLATFORM, "pr.review_depth", "space", 120, "Review depth has been uneven since the working agreement."),
)  # fmt: skip


def write_demo_benchmarks(year: DemoYear, *, today: date) -> None:
    """Set the demo's benchmarks and focuses; existing ones stay, so a second call changes nothing."""
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
