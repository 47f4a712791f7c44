"""Reminding people of thousands of overdue tickets, compared with writing the same notices."""

from __future__ import annotations

from datetime import date, datetime, time

from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench.figures import Limit, Measured
from bench.organisation import OrganisationSize, plan_organisation
from bench.organisation_rows import create_following_trees
from bench.people_import import file_of
from bench.timing import rolled_back, seconds_of
from insights.query.windows import local_today
from orgtree.models import Organisation
from orgtree.people_import.rows import drafts_of
from orgtree.people_import.store import store_people
from programs.models import Channel, Notice
from programs.reminders.queries import notices
from programs.reminders.services import outbox
from programs.reminders.services.email import Email
from programs.reminders.services.planning import store_notices

TICKETS = 10_000
GOAL_SECONDS = 5.0


def plan_reminders(size: OrganisationSize, *, tickets: int = TICKETS) -> list[Measured]:
    """Planning for owners and for their managers, planning again, and composing digests.

    Everybody has an account; one in four tickets belongs to a unit that is not its owner's.  Everything is rolled back.
    """
    today = local_today()
    with rolled_back():
        create_following_trees()
        store_people(drafts_of(file_of(plan_organisation(size, today=today), today)))
        Organisation.objects.update_or_create(pk=1, defaults={"protected_since": timezone.now()})
        _open_accounts()
        _file_tickets(tickets, today)
        conditions = f"{tickets:,} overdue tickets, {size.people:,} people with accounts, trees by manager and team"
        to_owners = seconds_of(lambda: store_notices(notices.of_due_tickets(today)))
        to_managers = seconds_of(lambda: store_notices(notices.of_overdue_in_teams(today)))
        sent = Notice.objects.count()
        again = seconds_of(
            lambda: (store_notices(notices.of_due_tickets(today)), store_notices(notices.of_overdue_in_teams(today)))
        )
        limit = Limit("s: writing the same notices into the same table, nothing asked", _write_alone())
        _send_by_mail()
        seconds = seconds_of(lambda: outbox.compose_emails([Email()], now=_at_noon(today)))
    return [
        _measured(
            "reminders to owners and managers", to_owners + to_managers, f"{sent:,} notices; {conditions}", limit
        ),
        _measured("reminders, nothing new", again, f"the same again; {conditions}"),
        _measured("reminders into letters", seconds, "one for everybody whom they tell, quiet hours asked of each"),
    ]


def _open_accounts() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO auth_user
                (username, email, password, first_name, last_name, is_superuser, is_staff, is_active, date_joined)
            SELECT email, email, '!', '', '', FALSE, FALSE, TRUE, now() FROM orgtree_person WHERE email <> ''
            ON CONFLICT DO NOTHING
            """
        )
        cursor.execute("ANALYZE auth_user, orgtree_person, orgtree_placement, orgtree_unitplacement")


def _file_tickets(count: int, today: date) -> None:
    """Late by a day to a month; three of four are of the owner's team, the others of any unit."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH owner AS (
                SELECT person_id, unit_id, row_number() OVER (ORDER BY person_id, tree_id) - 1 AS place,
                    count(*) OVER () AS total
                FROM orgtree_placement WHERE unit_id = ancestor_id AND during @> %(today)s
            ), unit AS (
                SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS total FROM orgtree_unit
            )
            INSERT INTO programs_ticket (nature, title, resolution, kind, unit_id, owner_id, starts_on, due_on, state,
                dropped_why, metric, effort, version, written_at)
            SELECT 'challenge', 'Ticket ' || number, '', 'process',
                CASE WHEN number %% 4 = 0 THEN unit.id ELSE owner.unit_id END, owner.person_id,
                %(today)s::date - 60, %(today)s::date - 1 - number %% 30, 'open', '', '', '', 1, now()
            FROM generate_series(1, %(count)s) AS number
            JOIN owner ON owner.place = number * 7919::bigint %% owner.total
            JOIN unit ON unit.place = number * 104729::bigint %% unit.total
            """,
            {"today": today, "count": count},
        )
        cursor.execute("ANALYZE programs_ticket")


def _write_alone() -> float:
    """Write into an empty copy of the table, with its indexes."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE bench_notice (LIKE programs_notice INCLUDING ALL) ON COMMIT DROP")

        def write() -> None:
            cursor.execute("INSERT INTO bench_notice SELECT * FROM programs_notice")

        return seconds_of(write)


def _send_by_mail() -> None:
    """Send by mail, as planning does with a mail server."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO programs_delivery (notice_id, channel, not_before, left_out) "
            "SELECT id, %s, now() - interval '2 days', '' FROM programs_notice ON CONFLICT DO NOTHING",
            [Channel.EMAIL.value],
        )


def _at_noon(today: date) -> datetime:
    return datetime.combine(today, time(12), settings.ORGANISATION_TIME_ZONE)


def _measured(name: str, seconds: float, conditions: str, limit: Limit | None = None) -> Measured:
    return Measured(
        name=name,
        value=seconds,
        unit="s",
        goal=f"≤ {GOAL_SECONDS:g} s",
        met=seconds <= GOAL_SECONDS,
        conditions=conditions,
        limit=limit,
    )
