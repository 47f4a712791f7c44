"""The demo's business reviews: three frozen and signed-off quarters, a draft of the current one, and the frozen
executive report of the last quarter.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max
from django.utils import timezone

from demo.load.personas import PERSONAS
from demo.plan.delivery import Incident, Repository, Urgency
from demo.plan.repositories import REPOSITORIES
from demo.plan.year import DemoYear
from integrations.enums import Environment, RunStatus
from integrations.models import Deployment
from orgtree.access.access import Access, access_of
from programs.models import Qbr, QbrAudience, QbrState, Report
from programs.qbr.services.decisions import add_decision
from programs.qbr.services.freezing import freeze_qbr, sign_qbr
from programs.qbr.services.writing import QbrExistsError, create_qbr, write_section
from programs.quarters.fiscal_quarters import current_quarter, preceding
from programs.report.services.freezing import freeze_report

FROZEN_DAYS_AFTER, SIGNED_DAYS_AFTER = 4, 7  # the end of a quarter
AT_NINE = time(9)
LATE_LASTED = timedelta(hours=3)  # the incident that is reported late
# Quarters ago → section → headline and commentary.
TEXTS: Mapping[int, Mapping[str, tuple[str, str]]] = {
    3: {
        "highlights": (
            "Every team now uses agents. Most of their output is discarded, and builds cost us more than reviews.",
            "",
        ),
        "dora": (
            "",
            "The first quarter with data for all five teams: treat it as a **baseline**, not a verdict. Mobile's "
            "builds are our longest automated wait.",
        ),
        "ai": ("", "Everybody has a licence now. Search wrote the first context file for its agents."),
        "risks": (
            "",
            "**Agents spend half of each session exploring.** Without context files, that will not change.\n\n"
            "**Nobody owns the build cache.** The plan has an owner, but no time is set aside for it.",
        ),
        "asks": (
            "",
            "1. **Two weeks for the build cache.** One Mobile engineer, off the release rota.\n"
            "2. **A context file in every repository.** Owners write one each by mid-quarter.",
        ),
    },
    2: {
        "highlights": (
            "Fewer releases fail. Platform's review wait is next.",
            "",
        ),
        "dora": (
            "",
            "One-command rollback was the win of the quarter; teams now drill it every month. Platform's reviews still "
            "wait overnight, whoever the author is.",
        ),
        "objectives": ("", "We met the goals we blocked time for, and missed the ones we only agreed on."),
        "quality": ("", "Every team reviewed its last three failures. Written postmortems are still missing."),
        "risks": (
            "",
            "**The same few people do all the reviews.** A rota helps only if every half-day slot has a name.",
        ),
        "asks": (
            "",
            "1. **A working agreement on reviews.** First review within one day, starting with Platform.\n"
            "2. **Reclaim idle seats.** Reassign or cancel them before the renewal.",
        ),
    },
    1: {
        "highlights": (
            "Agents now do more of the work. Review wait is what keeps lead time flat.",
            "",
        ),
        "dora": (
            "",
            "Platform's one-sentence working agreement did more than any tool. **Search** needs attention: its changes "
            "wait longest for a first review, while every other stage is short.",
        ),
        "objectives": (
            "",
            "The build work is finally moving after two quarters, now that it has a day a week. We meet goals that "
            "the whole team agreed on, and miss the ones that only one person wanted.",
        ),
        "action_plans": ("", "We **keep** the review agreement and roll it out to Search as a rota."),
        "ai": (
            "",
            "Spend tracks usage, and repositories with context files waste less of it. Two teams still have none. "
            "Teams chose for themselves, so this is an association, not proof.",
        ),
        "quality": (
            "",
            "Checkout's releases have started to cause incidents. Smoke tests before cutover come first; one-command "
            "rollback is in place and drilled every month.",
        ),
        "risks": (
            "",
            "**Review load keeps growing.** Agents produce more changes, but we have no more reviewers.\n\n"
            "**Checkout releases break too often.** Shipping faster will not help until smoke tests gate cutover.\n\n"
            "**Data's changes are too large.** They are reviewed late and lightly; the 400-line limit is not held yet.",
        ),
        "asks": ("Three decisions that we need today", ""),
    },
    0: {"highlights": ("", "First draft; to be finished before the meeting.")},
}

# Of the last quarter's review: decision, why, the role of its owner, and days until it is due after the signature.
DECISIONS = (
    ("Approve reviewer time", "Half a day a week for two senior developers on each team.", "manager", 60),
    ("Smoke tests before features in Checkout", "Two sprints from the product budget.", "manager", 75),
    ("Help Data split its changes", "One Platform engineer for six weeks.", "member", 90),
)


def write_demo_qbrs(year: DemoYear) -> None:
    """Write the demo's QBRs as the executive; a second call changes nothing."""
    if year.flavour.is_quiet:
        return
    access = _executive()
    quarters = [current_quarter()]
    for _ in range(max(TEXTS)):
        quarters.append(preceding(quarters[-1]))
    for ago in sorted(TEXTS, reverse=True):
        qbr = _written(access, quarters[ago].start, TEXTS[ago])
        if ago and qbr.state != QbrState.SIGNED:
            end = quarters[ago].end
            if ago == 1:
                _decide(access, qbr, end + timedelta(days=SIGNED_DAYS_AFTER))
            freeze_qbr(access, qbr, at=_nine(end + timedelta(days=FROZEN_DAYS_AFTER)))
            sign_qbr(access, qbr, audience=QbrAudience.MANAGERS, at=_nine(end + timedelta(days=SIGNED_DAYS_AFTER)))


def freeze_demo_report(year: DemoYear) -> None:
    """Freeze the organisation's report of the last quarter as the executive; a second call changes nothing."""
    quarter = preceding(current_quarter())
    if year.flavour.is_quiet or Report.objects.of(None, quarter.start).exists():
        return
    frozen_on = quarter.end + timedelta(days=FROZEN_DAYS_AFTER)
    freeze_report(_executive(), None, quarter, after=0, at=_nine(frozen_on))


def late_incident(year: DemoYear) -> Incident | None:
    """An incident of last quarter that no pager saw, reported after that QBR was frozen, so its figure is restated."""
    if year.flavour.is_quiet:
        return None
    checkout = REPOSITORIES[0]
    begin = timezone.make_aware(datetime.combine(current_quarter().start, time.min))
    rollouts = Deployment.objects.filter(
        repository__name=checkout.name, environment=Environment.PRODUCTION, status=RunStatus.SUCCESS
    )
    finished = rollouts.filter(finished_at__lt=begin - LATE_LASTED).aggregate(latest=Max("finished_at"))["latest"]
    if finished is None:
        return None
    return Incident(
        id=1,
        repository=Repository(id=1, name=checkout.name, created_at=finished),
        title="Receipts are sent twice",
        urgency=Urgency.HIGH,
        started_at=finished + timedelta(minutes=10),
        acknowledged_at=finished + timedelta(minutes=25),
        resolved_at=finished + LATE_LASTED,
    )


def _executive() -> Access:
    (executive,) = (persona for persona in PERSONAS if persona.role == "executive")
    return access_of(User.objects.get(username=executive.email))


def _written(access: Access, day: date, texts: Mapping[str, tuple[str, str]]) -> Qbr:
    try:
        qbr = create_qbr(access, day=day)
    except QbrExistsError as existing:
        qbr = existing.qbr
    if qbr.is_frozen:
        return qbr
    for section in qbr.sections.filter(key__in=texts, version=1):
        headline, commentary = texts[section.key]
        given = {"headline": headline, "commentary": commentary}
        write_section(access, qbr, section.key, given, of_version=section.version)
    return qbr


def _decide(access: Access, qbr: Qbr, signed_on: date) -> None:
    if qbr.decisions.exists():
        return
    owners = {persona.role: persona.email for persona in PERSONAS}
    for title, reason, role, days in DECISIONS:
        due_on = signed_on + timedelta(days=days)
        add_decision(access, qbr, {"title": title, "reason": reason, "owner": owners[role], "due_on": due_on})


def _nine(day: date) -> datetime:
    """Nine in the morning of that day, or now if that is in the future."""
    return min(timezone.now(), datetime.combine(day, AT_NINE, settings.ORGANISATION_TIME_ZONE))
