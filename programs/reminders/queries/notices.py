"""Notices that are due today, with their recipients: one SQL statement per family of reminders.

Each has the columns of NOTICE_COLUMNS, one row per notice.  Planning inserts the new ones
(programs/reminders/services/planning.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, LiteralString

from django.conf import settings

from integrations.delivery.allocation.work_days import ENDS_AT, STARTS_AT
from integrations.facts.ownership import OWNER_DAYS
from integrations.facts.working_agreements import AGREED, NEAREST_FIRST
from orgtree.models.visibility import Visibility
from programs.models import Breach, MessageKind, Quarter
from programs.models.messages import NoticeQuerySet
from programs.models.objectives import CHECK_IN_EVERY
from programs.models.tickets import OPEN_STATES
from programs.reminders.queries import recipients
from programs.teams.queries import teams_by_day, teams_without_objective

NOTICE_COLUMNS = "account_id, kind, ticket_id, comment_id, objective_id, unit_id, day, number"
COMMENT_COLUMNS = "account_id, kind, ticket_id, finding_id, comment_id, number"
SILENCE_COLUMNS = "account_id, kind, silence_id, number"
PULL_REQUEST_COLUMNS = "account_id, kind, pull_request_id, number"
POLICY_COLUMNS = "account_id, kind, policy_id, number"
DAYS_BEFORE_DUE = 3
RECENT = timedelta(days=30)
DAYS_BETWEEN_REMINDERS = 7  # while the work is not done
FIRST_DAYS_OF_QUARTER = 7  # in which nobody is reminded of the mandatory objective

Statement = tuple[str, dict[str, Any]]


def of_due_tickets(today: date) -> Statement:
    """Reminds owners of tickets that are due within three days, due today, or overdue.

    An overdue ticket is reported on its first day and weekly from then on: the week is the notice's number, so that a
    missed day is made up for and no reminder is sent twice.
    """
    return (
        f"""
        WITH {recipients.ACCOUNTS_OF_PEOPLE}
        SELECT account_of.account_id,
            CASE WHEN ticket.due_on > %(today)s THEN %(due_soon)s WHEN ticket.due_on = %(today)s THEN %(due)s
                ELSE %(overdue)s END AS kind,
            ticket.id AS ticket_id, NULL::bigint AS comment_id, NULL::bigint AS objective_id, NULL::bigint AS unit_id,
            ticket.due_on AS day, greatest(0, (%(today)s - ticket.due_on - 1) / %(every)s) AS number
        FROM programs_ticket ticket
        JOIN account_of ON account_of.person_id = ticket.owner_id
        WHERE ticket.state = ANY(%(standing)s) AND ticket.due_on <= %(soon)s
        """,  # noqa: S608 — put together from texts of this package; values are passed apart
        {
            **recipients.of_everybody(today),
            **_kinds("due_soon", "due", "overdue"),
            "soon": today + timedelta(days=DAYS_BEFORE_DUE),
            "every": DAYS_BETWEEN_REMINDERS,
            "standing": [state.value for state in OPEN_STATES],
        },
    )


def of_overdue_in_teams(today: date) -> Statement:
    """Reports overdue tickets one level up; never to the owner.

    Recipients are the owner's manager; if there is no known one who may see the ticket, the leaders of the owner's unit
    or of one above; else the managers of the ticket's unit, or of the nearest unit above with any; for a ticket of the
    organisation, the executives.
    """
    return (
        f"""
        WITH {recipients.ACCOUNTS_OF_PEOPLE}, {recipients.UNITS_ABOVE}, {recipients.MANAGERS_OF_UNITS},
        late AS MATERIALIZED (
            SELECT id, owner_id, unit_id, due_on FROM programs_ticket
            WHERE state = ANY(%(standing)s) AND due_on < %(today)s
        ), candidate AS MATERIALIZED (
            SELECT late.id AS ticket_id, 1 AS level, 0 AS steps, account_of.account_id, account_of.person_id
            FROM late
            JOIN orgtree_reporting reporting ON reporting.person_id = late.owner_id AND reporting.during @> %(today)s
            JOIN account_of ON account_of.person_id = reporting.manager_id
            UNION ALL
            SELECT late.id, 2, above.steps, manager.account_id, manager.person_id
            FROM late
            JOIN orgtree_placement member
                ON member.person_id = late.owner_id AND member.unit_id = member.ancestor_id
                AND member.during @> %(today)s
            JOIN above ON above.unit_id = member.unit_id
            JOIN orgtree_unit unit ON unit.id = above.ancestor_id
            JOIN manager ON manager.unit_id = unit.id AND manager.person_id = unit.leader_id
            UNION ALL
            SELECT late.id, 3, above.steps, manager.account_id, manager.person_id
            FROM late
            JOIN above ON above.unit_id = late.unit_id
            JOIN manager ON manager.unit_id = above.ancestor_id
            UNION ALL
            SELECT late.id, 4, 0, executive.account_id, executive.person_id
            FROM late CROSS JOIN executive
            WHERE late.unit_id IS NULL
        ), asked AS MATERIALIZED (
            SELECT DISTINCT candidate.account_id, candidate.person_id, late.unit_id
            FROM candidate JOIN late ON late.id = candidate.ticket_id WHERE late.unit_id IS NOT NULL
        ), {recipients.UNITS_SEEN}, allowed AS (
            SELECT ticket.id, ticket.due_on, candidate.account_id,
                rank() OVER (PARTITION BY ticket.id ORDER BY candidate.level, candidate.steps) AS place
            FROM candidate
            JOIN late ticket ON ticket.id = candidate.ticket_id
            LEFT JOIN account_of own ON own.person_id = ticket.owner_id
            WHERE (ticket.owner_id IS NULL OR candidate.person_id IS DISTINCT FROM ticket.owner_id)
                AND candidate.account_id IS DISTINCT FROM own.account_id
                AND {recipients.MAY_SEE_TICKET}
        )
        SELECT DISTINCT account_id, %(overdue_in_team)s AS kind, id AS ticket_id, NULL::bigint AS comment_id,
            NULL::bigint AS objective_id, NULL::bigint AS unit_id, due_on AS day,
            (%(today)s - due_on - 1) / %(every)s AS number
        FROM allowed WHERE place = 1
        """,  # noqa: S608 — put together from texts of this package; values are passed apart
        {
            **recipients.of_everybody(today),
            **recipients.visibility(),
            **_kinds("overdue_in_team"),
            "every": DAYS_BETWEEN_REMINDERS,
            "standing": [state.value for state in OPEN_STATES],
        },
    )


def of_check_ins_due(today: date) -> Statement:
    """Reminds owners of published objectives of a check-in when it is due, and every two weeks from then on.

    `check_in_due` in programs/objectives/queries/objectives.py defines the day.  `day` is the day of the last check-in,
    else of publishing, else the first of the quarter.
    """
    return (
        f"""
        WITH {recipients.ACCOUNTS_OF_PEOPLE}, told AS (
            SELECT objective.id, account_of.account_id, quarter."end" - 1 AS last_day,
                greatest(
                    quarter.start,
                    (coalesce(
                        (SELECT max(at) FROM programs_checkin WHERE objective_id = objective.id), objective.published_at
                    ) AT TIME ZONE %(zone)s)::date
                ) AS since
            FROM programs_objective objective
            JOIN programs_quarter quarter ON quarter.id = objective.quarter_id
            JOIN account_of ON account_of.person_id = objective.owner_id
            WHERE quarter.closed_at IS NULL AND quarter.start <= %(today)s AND quarter."end" > %(today)s
                AND objective.published_at IS NOT NULL AND objective.dropped_at IS NULL
        ), due AS (
            SELECT *, least(since + %(every)s, last_day) AS due_on FROM told
        )
        SELECT account_id, %(check_in_due)s AS kind, NULL::bigint AS ticket_id, NULL::bigint AS comment_id,
            id AS objective_id, NULL::bigint AS unit_id, since AS day, (%(today)s - due_on) / %(every)s AS number
        FROM due WHERE due_on <= %(today)s
        """,  # noqa: S608 — put together from texts of this package; values are passed apart
        {**recipients.of_everybody(today), **_kinds("check_in_due"), **_zone(), "every": CHECK_IN_EVERY.days},
    )


def of_missing_objectives(quarter: Quarter, today: date) -> Statement:
    """Reminds managers of teams without a published mandatory objective, weekly after the quarter's first week.

    A team without a manager is reported to the managers of the nearest unit above.
    """
    everything = Visibility(whole=True, unit_ids=None, leads_whole=True)
    teams = teams_without_objective(quarter, everything, today=today).values_list("pk", flat=True)
    reminded_since = quarter.start + timedelta(days=FIRST_DAYS_OF_QUARTER)
    return (
        f"""
        WITH {recipients.ACCOUNTS_OF_PEOPLE}, {recipients.UNITS_ABOVE}, {recipients.MANAGERS_OF_UNITS},
        candidate AS (
            SELECT above.unit_id, manager.account_id,
                rank() OVER (PARTITION BY above.unit_id ORDER BY above.steps) AS place
            FROM above JOIN manager ON manager.unit_id = above.ancestor_id
            WHERE above.unit_id = ANY(%(teams)s)
        )
        SELECT DISTINCT account_id, %(objective_missing)s AS kind, NULL::bigint AS ticket_id,
            NULL::bigint AS comment_id, NULL::bigint AS objective_id, unit_id, %(start)s::date AS day,
            (%(today)s - %(reminded_since)s::date) / %(every)s AS number
        FROM candidate WHERE place = 1
        """,  # noqa: S608 — put together from texts of this package; values are passed apart
        {
            **recipients.of_everybody(today),
            **_kinds("objective_missing"),
            "teams": list(teams) if today >= reminded_since else [],
            "start": quarter.start,
            "reminded_since": reminded_since,
            "every": DAYS_BETWEEN_REMINDERS,
        },
    )


def ended_among(notices: NoticeQuerySet, today: date) -> set[int]:
    """The ids of notices whose reason has ended; a unit that is not a team of the program today lacks no objective.

    Notices of meetings are handled separately.
    """
    teams = teams_by_day([today])[today]
    of_no_team = notices.filter(kind=MessageKind.OBJECTIVE_MISSING).exclude(unit__in=teams)
    return {pk for some in (notices.ended(today), of_no_team) for pk in some.values_list("pk", flat=True)}


def of_broken_agreements(now: datetime, today: date) -> Statement:
    """Tells the unit that owns the repository, once, of each breach of its agreement by a recent open pull request.

    Only units whose agreement asks for it are told, during their working hours.
    """
    return (
        f"""
        WITH {recipients.ACCOUNTS_OF_PEOPLE}, agreed AS MATERIALIZED (
            SELECT * FROM ({AGREED}) AS agreed WHERE agreed.during @> %(today)s
        ), terms AS MATERIALIZED (
            SELECT agreed.owned_id, {_nearest("reminds_team")}, {_nearest("time_zone")}, {_nearest("work_starts_at")},
                {_nearest("work_ends_at")}
            FROM agreed GROUP BY agreed.owned_id
        ), reminding AS MATERIALIZED (
            SELECT owned.id AS owned_id, owned.repository_id
            FROM terms
            JOIN integrations_owned owned ON owned.id = terms.owned_id AND owned.repository_id IS NOT NULL
            CROSS JOIN LATERAL (
                SELECT %(now)s::timestamptz AT TIME ZONE coalesce(terms.time_zone, %(zone)s) AS at
            ) AS there
            WHERE terms.reminds_team AND extract(isodow FROM there.at) < 6
                AND there.at::time >= coalesce(terms.work_starts_at, %(starts)s)
                AND there.at::time < coalesce(terms.work_ends_at, %(ends)s)
        ), breach AS MATERIALIZED (
            SELECT figures.pull_request_id, reminding.owned_id, broken.number
            FROM reminding
            JOIN integrations_pullrequestfigures figures ON figures.repository_id = reminding.repository_id
            JOIN integrations_pullrequest pull_request ON pull_request.id = figures.pull_request_id
                AND pull_request.state = 'open' AND pull_request.deleted_at IS NULL
            CROSS JOIN LATERAL (VALUES
                (%(no_item)s, figures.agreed_item AND NOT figures.is_linked),
                (%(too_large)s, figures.size > figures.agreed_lines),
                (%(unreviewed)s, figures.first_review_at IS NULL
                    AND figures.opened_at + figures.agreed_review_hours * interval '1 hour' < %(now)s)
            ) AS broken (number, is_broken)
            WHERE broken.is_broken AND figures.set_apart = '' AND figures.opened_at > %(since)s
        ), team AS MATERIALIZED (
            SELECT DISTINCT owner.owned_id, placed.person_id
            FROM ({OWNER_DAYS}) AS owner
            JOIN orgtree_placement placed ON placed.unit_id = owner.unit_id AND placed.ancestor_id = owner.unit_id
                AND placed.during @> %(today)s
            WHERE owner.during @> %(today)s AND owner.owned_id IN (SELECT owned_id FROM breach)
        )
        SELECT DISTINCT account_of.account_id, %(agreement_broken)s AS kind, breach.pull_request_id, breach.number
        FROM breach JOIN team USING (owned_id) JOIN account_of USING (person_id)
        """,  # noqa: S608 — put together from texts of this package; values are passed apart
        {
            **recipients.of_everybody(today),
            **_kinds("agreement_broken"),
            **_zone(),
            **{breach.name.lower(): breach.value for breach in Breach},
            "starts": STARTS_AT,
            "ends": ENDS_AT,
            "now": now,
            "since": now - RECENT,
        },
    )


def _nearest(term: LiteralString) -> LiteralString:
    """The value of the term that applies: that of the nearest unit that has set it."""
    return f"(array_agg(agreed.{term} ORDER BY {NEAREST_FIRST}) FILTER (WHERE agreed.{term} IS NOT NULL))[1] AS {term}"


def of_silences() -> Statement:
    """Tells admins, once, of each source that has stopped sending and has not resumed."""
    return (
        """
        SELECT account.id AS account_id, %(silence)s AS kind, silence.id AS silence_id, 0 AS number
        FROM integrations_silence silence CROSS JOIN auth_user account
        WHERE silence.ended_at IS NULL AND account.is_active AND account.is_superuser
        """,
        _kinds("silence"),
    )


def of_policy_changes(now: datetime) -> Statement:
    """Tells everybody who had an account at the time, once, of a recent change of the access policy.

    Older changes are not repeated after their notices were deleted.
    """
    return (
        """
        SELECT account.id AS account_id, %(policy)s AS kind, event.pgh_id AS policy_id, 0 AS number
        FROM orgtree_policyevent event CROSS JOIN auth_user account
        WHERE event.pgh_label = 'update' AND event.pgh_created_at > %(since)s
            AND account.is_active AND account.date_joined <= event.pgh_created_at
        """,
        {**_kinds("policy"), "since": now - RECENT},
    )


def of_comment(comment_id: int, people: Sequence[int], today: date) -> Statement:
    """Tells a comment's mentioned people, its ticket's owner and watchers, and earlier commenters on its finding; never
    its author.  Columns are COMMENT_COLUMNS.

    `people` are the mentioned people and the owner.
    """
    return (
        f"""
        WITH {recipients.ACCOUNTS_OF_PEOPLE}, comment AS (
            SELECT comment.id, comment.ticket_id, comment.finding_id, comment.by_id, ticket.owner_id
            FROM programs_comment comment LEFT JOIN programs_ticket ticket ON ticket.id = comment.ticket_id
            WHERE comment.id = %(comment)s
        ), told AS (
            SELECT account_of.account_id, 0 AS place FROM programs_comment_mentions mention
            JOIN account_of ON account_of.person_id = mention.person_id
            WHERE mention.comment_id = %(comment)s
            UNION ALL
            SELECT watcher.user_id, 1 FROM comment
            JOIN programs_ticket_watchers watcher ON watcher.ticket_id = comment.ticket_id
            JOIN auth_user account ON account.id = watcher.user_id AND account.is_active
            UNION ALL
            SELECT earlier.by_id, 1 FROM comment
            JOIN programs_comment earlier ON earlier.finding_id = comment.finding_id
            JOIN auth_user account ON account.id = earlier.by_id AND account.is_active
            UNION ALL
            SELECT account_of.account_id, 1 FROM comment JOIN account_of ON account_of.person_id = comment.owner_id
        )
        SELECT told.account_id, CASE WHEN min(told.place) = 0 THEN %(mentioned)s ELSE %(commented)s END AS kind,
            comment.ticket_id, comment.finding_id, comment.id AS comment_id, 0 AS number
        FROM told CROSS JOIN comment
        WHERE told.account_id IS DISTINCT FROM comment.by_id
        GROUP BY told.account_id, comment.ticket_id, comment.finding_id, comment.id
        """,  # noqa: S608 — put together from texts of this package; values are passed apart
        {
            **recipients.of_people(people, today),
            **_kinds("mentioned", "commented"),
            "comment": comment_id,
        },
    )


def of_assignment(ticket_id: int, owner: int, by_account: int | None, today: date) -> Statement:
    """Tells the ticket's new owner, unless they assigned it to themselves.  The number is the ticket's version."""
    return (
        f"""
        WITH {recipients.ACCOUNTS_OF_PEOPLE}
        SELECT account_of.account_id, %(assigned)s AS kind, ticket.id AS ticket_id, NULL::bigint AS comment_id,
            NULL::bigint AS objective_id, NULL::bigint AS unit_id, NULL::date AS day, ticket.version AS number
        FROM programs_ticket ticket
        JOIN account_of ON account_of.person_id = ticket.owner_id
        WHERE ticket.id = %(ticket)s AND ticket.state = ANY(%(standing)s)
            AND account_of.account_id IS DISTINCT FROM %(by)s::bigint
        """,  # noqa: S608 — put together from texts of this package; values are passed apart
        {
            **recipients.of_people([owner], today),
            **_kinds("assigned"),
            "ticket": ticket_id,
            "by": by_account,
            "standing": [state.value for state in OPEN_STATES],
        },
    )


def _kinds(*names: str) -> dict[str, str]:
    return {name: MessageKind[name.upper()].value for name in names}


def _zone() -> dict[str, str]:
    return {"zone": settings.TIME_ZONE}
