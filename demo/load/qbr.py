"""The demo's business reviews: three quarters frozen and signed off, and a draft of the one that runs."""

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
from programs.models import Qbr, QbrState
from programs.qbr.services.freezing import freeze_qbr, sign_qbr
from programs.qbr.services.writing import QbrExistsError, create_qbr, write_section
from programs.quarters.fiscal_quarters import current_quarter, preceding

FROZEN_DAYS_AFTER, SIGNED_DAYS_AFTER = 4, 7  # the end of a quarter
AT_NINE = time(9)
LATE_LASTED = timedelta(hours=3)  # the incident that is reported late
# By how many quarters ago and section: headline and commentary.
TEXTS: Mapping[int, Mapping[str, tuple[str, str]]] = {
    3: {
        "highlights": (
            "Agents arrived in every team. What they write is not kept yet, and builds cost us more than reviews do.",
            "",
        ),
        "dora": (
            "",
            "The first quarter with figures for all five teams: take it as a **baseline**, not as a verdict. Mobile's "
            "builds are the longest wait that a machine causes.",
        ),
        "ai": ("", "Licences went to everybody. Search wrote the first page of house rules for its agents."),
        "risks": (
            "",
            "**Agents explore for half of each session.** Without house rules that will not change by itself.\n\n"
            "**Nobody owns the build cache.** The plan has an owner, and no week in which it happens.",
        ),
        "asks": (
            "",
            "1. **Two weeks for the build cache.** One engineer of Mobile, taken out of the release rota.\n"
            "2. **House rules in every repository.** Owners write one page each until the middle of the quarter.",
        ),
    },
    2: {
        "highlights": (
            "What we ship works more often. Platform's reviews are the next thing to mend.",
            "",
        ),
        "dora": (
            "",
            "Rolling back by one command was worth the quarter: teams try it monthly now. Reviews of Platform wait "
            "overnight, whoever wrote the change.",
        ),
        "objectives": ("", "Goals that had a day in the week were reached; goals that were only agreed on were not."),
        "quality": ("", "Each team knows its last three failures by heart. Written causes are still missing."),
        "risks": (
            "",
            "**Reviewers are the same few people.** A rota helps only where it has a name for each half day.",
        ),
        "asks": (
            "",
            "1. **A working agreement on reviews.** A first look within one day, in Platform first.\n"
            "2. **Ask whoever has an idle seat.** Give it on or back before the renewal.",
        ),
    },
    1: {
        "highlights": (
            "More of the work is done with agents. Waiting for a review is what keeps lead time where it is.",
            "",
        ),
        "dora": (
            "",
            "The agreement of Platform shows: one sentence that all signed did more than a tool. **Search** is the "
            "team to look at: its changes wait longest for a first review, and every other stage is short.",
        ),
        "objectives": (
            "",
            "Builds are on their way after two quarters: they have a day in the week now. We reach what a whole "
            "team agreed on, and miss what one of us wished for.",
        ),
        "action_plans": ("", "We **keep** the agreement on reviews and copy it to Search as a rota."),
        "ai": (
            "",
            "Spend follows use, and repositories with house rules waste less of it. Two teams still explore without "
            "them. The groups chose themselves: read it as an association.",
        ),
        "quality": (
            "",
            "Incidents of Checkout began to follow its releases. Smoke tests before the switch come first; a rollback "
            "by one command exists and is tried each month.",
        ),
        "risks": (
            "",
            "**Review load keeps growing.** Agents write more changes; the number of reviewers is flat.\n\n"
            "**Checkout releases fail users.** Until smoke tests stand in front of the switch, faster is no use.\n\n"
            "**Large changes of Data.** They are reviewed late and lightly; the limit of 400 lines is not kept yet.",
        ),
        "asks": (
            "Three decisions that we need today",
            "1. **Approve reviewer time.** Half a day a week for two senior developers of each team.\n"
            "2. **Smoke tests before features in Checkout.** Two sprints, from the product's budget.\n"
            "3. **Sponsor Data's smaller changes.** One engineer of Platform for six weeks.",
        ),
    },
    0: {"highlights": ("", "First impressions, to be finished before the meeting.")},
}


def write_demo_qbrs(year: DemoYear) -> None:
    """By the executive; a second call changes nothing."""
    if year.flavour.is_quiet:
        return
    (executive,) = (persona for persona in PERSONAS if persona.role == "executive")
    access = access_of(User.objects.get(username=executive.email))
    quarters = [current_quarter()]
    for _ in range(max(TEXTS)):
        quarters.append(preceding(quarters[-1]))
    for ago in sorted(TEXTS, reverse=True):
        qbr = _written(access, quarters[ago].start, TEXTS[ago])
        if ago and qbr.state != QbrState.SIGNED:
            end = quarters[ago].end
            freeze_qbr(access, qbr, at=_nine(end + timedelta(days=FROZEN_DAYS_AFTER)))
            sign_qbr(access, qbr, at=_nine(end + timedelta(days=SIGNED_DAYS_AFTER)))


def late_incident(year: DemoYear) -> Incident | None:
    """One that no pager knows, of the last quarter: it is reported after its review was frozen, which is restated."""
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


def _nine(day: date) -> datetime:
    """Nine in the morning of that day; now where it has not come."""
    return min(timezone.now(), datetime.combine(day, AT_NINE, settings.ORGANISATION_TIME_ZONE))
