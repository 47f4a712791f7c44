"""Labels of notices in the inbox and in e-mails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse

from core.page_links import url_with
from insights.catalogue.agents import agent_name
from insights.catalogue.registry import find
from insights.findings.words import names_behind, worded
from insights.query import windows
from insights.ui import wording
from insights.ui.silences import silence_title, text_of_notice
from integrations.models import PullRequest, Silence
from orgtree.access.policy import changes_of_event
from orgtree.access.who_sees import names_of
from programs.models import AlertKind, AlertRule, Breach, BudgetAlert, Digest, Meeting, MessageKind, Notice
from programs.reminders.services.channels import Item

WHOLE_ORGANISATION = "Whole organisation"
LONGEST_QUOTE = 280
SOMEBODY = "Somebody"


def notices_of_page(numbers: Sequence[int]) -> list[Notice]:
    """The page's notices with everything that their texts need, newest first.

    A full inbox is sorted by an index; related records are read only for the page's own notices.
    """
    return list(with_related(Notice.objects.filter(pk__in=numbers)).order_by("-at", "-pk"))


def with_related(notices: QuerySet[Notice]) -> QuerySet[Notice]:
    """The notices with everything that their texts need."""
    return notices.select_related(
        *(
            "ticket__unit",
            "ticket__owner",
            "finding__unit",
            "comment__by",
            "objective__unit",
            "objective__quarter",
            "unit",
        ),
        *("meeting__series__unit", "alert__budget__unit", "silence", "policy"),
        *("digest", "rule__unit", "pull_request__repository"),
    )


def items_of(notices: Sequence[Notice]) -> list[Item]:
    """The notices' texts in order; at most five queries for names.  Needs `with_related`."""
    findings = [notice.finding for notice in notices if notice.finding is not None]
    words = _NoticeTexts(windows.local_today(), _names(notices), names_behind(findings) if findings else {})
    return [words.item(notice) for notice in notices]


def _names(notices: Sequence[Notice]) -> Mapping[int, str]:
    accounts = {notice.comment.by for notice in notices if notice.comment is not None and notice.comment.by is not None}
    return names_of([account for account in accounts if isinstance(account, User)]) if accounts else {}


@dataclass(frozen=True)
class _NoticeTexts:
    today: date
    names: Mapping[int, str]
    units: Mapping[str, str]  # of findings, by slug

    def item(self, notice: Notice) -> Item:
        if notice.comment is not None:
            return self._comment(notice)
        if notice.ticket is not None:
            return self._ticket(notice)
        if notice.meeting is not None:
            return self._meeting(notice, notice.meeting)
        if notice.alert is not None:
            return self._alert(notice.alert)
        if notice.objective is not None or notice.unit is not None:
            return self._objective(notice) if notice.objective is not None else self._unit(notice)
        return _news(notice)

    def _ticket(self, notice: Notice) -> Item:
        ticket = notice.ticket
        assert ticket is not None  # noqa: S101 — `item` looked
        unit = ticket.unit.name if ticket.unit else WHOLE_ORGANISATION
        owner = ticket.owner.full_name if ticket.owner else "none"
        details = {
            MessageKind.OVERDUE_IN_TEAM.value: f"{unit}, owner: {owner}",
            MessageKind.ASSIGNED.value: f"{unit}, due {wording.day(ticket.due_on)}",
        }
        detail = details.get(notice.kind, unit)
        return Item(self._label(notice), ticket.title, reverse("ticket", args=[ticket.pk]), detail)

    def _label(self, notice: Notice) -> str:
        """The label as of the day of reading: a ticket that was due in three days may be due today."""
        if notice.kind == MessageKind.ASSIGNED:
            return "Assigned to you"
        ticket, day = notice.ticket, notice.day
        if ticket is None or day is None or not ticket.is_standing or ticket.due_on != day:
            return f"Was due {wording.day(day)}" if day else "Was due"
        days = (day - self.today).days
        if days < 0:
            return f"{wording.count(-days, 'day')} overdue"
        return "Due today" if days == 0 else "Due tomorrow" if days == 1 else f"Due in {days} days"

    def _comment(self, notice: Notice) -> Item:
        comment, ticket, finding = notice.comment, notice.ticket, notice.finding
        assert comment is not None  # noqa: S101 — `item` looked
        who = self.names.get(comment.by_id or 0, SOMEBODY)
        label = f"{who} mentions you" if notice.kind == MessageKind.MENTIONED else f"{who} comments"
        line = " ".join(comment.text.split())
        quote = line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE].rstrip()}…"
        if ticket is not None:
            return Item(label, ticket.title, reverse("ticket", args=[ticket.pk]), quote=quote)
        words = worded(finding, self.units) if finding else None
        path = url_with(reverse("findings"), {"finding": notice.finding_id})
        return Item(label, words.title if words else "A finding", path, quote=quote)

    def _objective(self, notice: Notice) -> Item:
        objective = notice.objective
        assert objective is not None  # noqa: S101 — `item` looked
        of = objective.unit.name if objective.unit else WHOLE_ORGANISATION
        since = f". No check-in since {wording.day(notice.day)}" if notice.day else ""
        return Item(
            "Check-in due",
            objective.title,
            _page("objective", objective.pk) or _page("objectives"),
            f"{of}, {objective.quarter}{since}",
        )

    def _meeting(self, notice: Notice, meeting: Meeting) -> Item:
        """The meeting as of the day of reading: an invitation to a meeting cancelled since then says so."""
        path = _page("meeting", meeting.pk)
        when = (
            f"{wording.period(meeting.starts_at, meeting.ends_at, meeting.series.zone)} ({meeting.series.time_zone})."
        )
        where = f" {meeting.series.location}" if meeting.series.location else ""
        if meeting.is_cancelled:
            why = f" {meeting.cancelled_why}" if meeting.cancelled_why else ""
            return Item("Cancelled", meeting.series.title, path, f"{when}{why}")
        match notice.kind:
            case MessageKind.MEETING_CANCELLED:
                return Item("You no longer take part", meeting.series.title, _page("meetings"), when)
            case MessageKind.MEETING_UNSIGNED:
                return Item("Not signed off", meeting.series.title, path, when)
            case MessageKind.MEETING_SOON:
                label = "Meeting"
            case _:
                label = "Invitation, updated" if notice.number else "Invitation"
        return Item(label, meeting.series.title, path, f"{when}{where}")

    def _alert(self, alert: BudgetAlert) -> Item:
        """The text of a budget alert, with its figures at the time."""
        budget, amount = alert.budget, float(alert.amount)
        whose = budget.unit.name if budget.unit else WHOLE_ORGANISATION
        title = f"{whose}{f', {agent_name(budget.agent)}' if budget.agent else ''}, {alert.month:%B %Y}"
        detail = f"{wording.money(alert.spent)} of {wording.money(amount)} spent."
        if alert.kind == AlertKind.FORECAST and None not in (alert.forecast, alert.low, alert.high):
            label = f"Budget: forecast at {wording.percent_of(alert.forecast or 0, amount)}"
            interval = f"{wording.money(alert.low or 0)} to {wording.money(alert.high or 0)}"
            detail = f"{detail} Forecast to the month's end: {wording.money(alert.forecast or 0)} ({interval})."
        else:
            label = f"Budget: {wording.percent_of(alert.spent, amount)} spent"
        return Item(label, title, f"{_page('budgets')}?month={alert.month:%Y-%m}", detail)

    def _unit(self, notice: Notice) -> Item:
        unit, quarter = notice.unit, windows.quarter_name(notice.day) if notice.day else ""
        name, slug = (unit.name, unit.slug) if unit else ("", "")
        path = _page("objectives")
        return Item(
            "No objective yet",
            f"{name} in {quarter}",
            f"{path}?unit={slug}" if path and slug else path,
            "Each team has one mandatory objective per quarter.",
        )


def _news(notice: Notice) -> Item:
    """The item of a notice that needs no action."""
    if notice.digest is not None:
        return _digest(notice.digest)
    if notice.rule is not None:
        return _rule(notice, notice.rule)
    if notice.pull_request is not None:
        return _pull_request(notice, notice.pull_request)
    return _silence(notice.silence) if notice.silence is not None else _policy(notice)


def _silence(silence: Silence) -> Item:
    return Item(
        "Stopped sending" if silence.ended_at is None else "Stopped sending (ended)",
        silence_title(silence),
        f"{_page('integrations')}#silences",
        text_of_notice(silence),
    )


def _digest(digest: Digest) -> Item:
    content = digest.document
    return Item(content.title, f"{content.whose}, {content.period}", reverse("digest", args=[digest.pk]), content.lead)


def _rule(notice: Notice, rule: AlertRule) -> Item:
    """The text of an alert rule, with the value at the time and the current limit."""
    metric, whose = find(rule.metric), rule.unit.name if rule.unit else WHOLE_ORGANISATION
    name = metric.name if metric else rule.metric
    is_latest = rule.value is not None and metric is not None and notice.number == rule.fired
    value = f"{wording.reading(rule.value or 0, metric.unit)}: " if is_latest and metric else ""
    path = url_with(reverse("metric_page", args=[rule.metric]), {"unit": rule.unit.slug if rule.unit else ""})
    return Item("Alert", f"{name}, {whose}", path, f"{value}{condition_of(rule)}.")


def condition_of(rule: AlertRule) -> str:
    """The limit in words: *above 2.0 days, over the last 4 weeks*."""
    metric = find(rule.metric)
    limit = wording.reading(rule.limit, metric.unit) if metric else wording.exact(rule.limit)
    window = wording.count(rule.days // 7, "week") if rule.days % 7 == 0 else wording.count(rule.days, "day")
    return f"{'above' if rule.is_above else 'below'} {limit}, over the last {window}"


def _pull_request(notice: Notice, pull_request: PullRequest) -> Item:
    reference = f"{pull_request.repository.name} #{pull_request.number}"
    path = reverse("pull_request", args=[pull_request.pk])
    return Item(str(Breach(notice.number).label), pull_request.title or reference, path, f"{reference}.")


def _policy(notice: Notice) -> Item:
    changes = "; ".join(map(str, changes_of_event(notice.policy)))
    return Item("Who sees what", changes or "The rules changed", _page("access"), "For everybody.")


def _page(name: str, *arguments: object) -> str:
    """The path of the named page; that of the home page if this installation has no such page."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return reverse("home") if not arguments else ""
