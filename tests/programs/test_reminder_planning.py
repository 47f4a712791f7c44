"""Recipients and subjects of planned reminders, each sent once."""

from __future__ import annotations

import random
import threading
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext

from insights.query.windows import local_today
from orgtree.models import Employment, Grant, MembersSee, Organisation, OrgTree, Person, Reporting, Role
from orgtree.models.visibility import visibility_of
from programs.comments.writing import comment_on
from programs.models import CheckIn, MessageKind, Notice, Objective, ProgramSettings, Ticket, TicketState
from programs.objectives.queries.objectives import check_in_due
from programs.quarters.fiscal_quarters import current_quarter, quarter_at
from programs.reminders.queries.notices import of_check_ins_due
from programs.reminders.services.planning import plan_reminders, store_notices
from programs.tickets.services.writing import change_ticket, move_ticket
from tests.org import Org
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, create_user
from tests.programs.reminders import filed, open_accounts, person, planned, planned_notices, words
from tests.programs.tickets import as_, draft, ownerless, ticket
from tests.seeds import seeds
from tests.teams import ALWAYS, Teams, create_teams

DUE_SOON, DUE, OVERDUE = "ticket_due_soon", "ticket_due", "ticket_overdue"
OVERDUE_IN_TEAM, ASSIGNED = "ticket_overdue_in_team", "ticket_assigned"


@pytest.fixture
def teams(org: Org) -> Teams:
    made = create_teams()
    open_accounts()
    return made


def only(kind: str, notices: set[tuple[str, str, str]]) -> set[tuple[str, str]]:
    return {(who, what) for who, account, what in notices if account == kind}


@pytest.mark.parametrize(
    ("due", "kind"), [(4, None), (3, DUE_SOON), (1, DUE_SOON), (0, DUE), (-1, OVERDUE), (-40, OVERDUE)]
)
def test_an_owner_is_reminded_before_on_and_after_the_due_date(teams: Teams, due: int, kind: str | None) -> None:
    filed("A rota", due=due, unit=teams.platform)
    notices = {notice for notice in planned() if notice[0] == "ada"}
    assert notices == ({("ada", kind, "A rota")} if kind else set())
    assert planned() == set()


def test_overdue_is_said_on_the_first_day_and_then_weekly(teams: Teams) -> None:
    filed("A rota", due=0, unit=teams.platform)
    today = local_today()
    days = [day for day in range(1, 31) if ("ada", OVERDUE, "A rota") in planned(today=today + timedelta(days=day))]
    assert days == [1, 8, 15, 22, 29]


def test_days_without_a_planner_are_made_up_for_once(teams: Teams) -> None:
    filed("A rota", due=0, unit=teams.platform)
    days = [day for day in (3, 5, 7, 12, 30) if only(OVERDUE, planned(today=local_today() + timedelta(days=day)))]
    assert days == [3, 12, 30]


def test_another_due_date_is_another_reminder(teams: Teams) -> None:
    late = filed("A rota", due=-1, unit=teams.platform)
    planned()
    late.due_on = local_today() + timedelta(days=2)
    late.save()
    assert ("ada", DUE_SOON, "A rota") in planned()


@pytest.mark.parametrize("state", [TicketState.DONE, TicketState.DROPPED])
def test_what_is_over_reminds_nobody(teams: Teams, state: TicketState) -> None:
    ended = {"completed_on": local_today()} if state == TicketState.DONE else {"dropped_why": "Enough."}
    filed("A rota", due=-3, unit=teams.platform, state=state, **ended)
    assert planned() == set()


def test_people_who_left_or_have_no_account_get_no_notices(teams: Teams) -> None:
    for name in ("ada", "hedy"):  # Hedy has no account
        filed(f"Of {name}", due=-1, unit=teams.platform, owner=name)
    Employment.objects.create(person=person("ada"), during=DateRange(date(2025, 1, 1), local_today()))
    assert planned() == {("edith", OVERDUE_IN_TEAM, "Of ada"), ("edith", OVERDUE_IN_TEAM, "Of hedy")}


def test_a_disabled_account_gets_no_notices(teams: Teams) -> None:
    filed("A rota", due=-1, unit=teams.platform)
    User.objects.filter(username=MEMBER.email).update(is_active=False)
    assert only(OVERDUE, planned()) == set()


def test_an_account_that_an_admin_linked_is_the_persons(teams: Teams) -> None:
    linked = User.objects.create(username="ada.l", email="other@example.com")
    Person.objects.filter(email="ada@example.com").update(user=linked)
    filed("A rota", due=0, unit=teams.platform)
    assert planned() == {("ada.l", DUE, "A rota")}


class TestWhoHearsOfOverdueTickets:
    def test_it_is_whom_the_owner_reports_to(self, teams: Teams) -> None:
        Reporting.objects.create(person=person("ada"), manager=person("grace"), during=ALWAYS)
        Organisation.objects.update(members_see=MembersSee.EVERYTHING)
        filed("A rota", due=-1, unit=teams.platform)
        assert only(OVERDUE_IN_TEAM, planned()) == {("grace", "A rota")}

    def test_else_it_is_who_leads_the_owners_unit(self, teams: Teams) -> None:
        filed("A rota", due=-1, unit=teams.platform)
        assert only(OVERDUE_IN_TEAM, planned()) == {("edith", "A rota")}

    def test_the_owner_is_not_notified_twice_where_they_lead_the_unit(self, teams: Teams) -> None:
        teams.engineering.leader = person("grace")
        teams.engineering.save()
        filed("A rota", due=-1, unit=teams.platform, owner="edith")
        assert planned() == {("edith", OVERDUE, "A rota"), ("grace", OVERDUE_IN_TEAM, "A rota")}

    def test_a_manager_who_may_not_see_the_ticket_is_passed_over(self, teams: Teams) -> None:
        """Ada works for Search: Edith, who leads Platform, may not see that; who leads Search may."""
        teams.search.leader = person("grace")
        teams.search.save()
        lent = filed("Lent to Search", due=-1, unit=teams.search)
        assert not Ticket.objects.within(visibility_of(create_user(MANAGER))).filter(pk=lent.pk).exists()
        assert only(OVERDUE_IN_TEAM, planned()) == {("grace", "Lent to Search")}

    def test_a_granted_manager_hears_as_a_leader_does(self, teams: Teams) -> None:
        Grant.objects.create(user=create_user(OTHER_MEMBER), role=Role.MANAGER, unit=teams.search, during=ALWAYS)
        filed("Nobody's", due=-1, unit=teams.search, owner=None)
        assert only(OVERDUE_IN_TEAM, planned()) == {("grace", "Nobody's")}

    def test_of_the_whole_organisation_executives_hear(self, teams: Teams) -> None:
        filed("Nobody's", due=-1, owner=None)
        assert planned() == {("mary", OVERDUE_IN_TEAM, "Nobody's")}

    def test_an_archived_tree_and_a_past_manager_say_nothing(self, teams: Teams) -> None:
        Reporting.objects.create(
            person=person("ada"), manager=person("grace"), during=DateRange(date(2025, 1, 1), local_today())
        )
        teams.tree.archived_at = "2026-01-01T00:00Z"
        teams.tree.save()
        Organisation.objects.update(members_see=MembersSee.EVERYTHING)
        filed("A rota", due=-1, unit=teams.platform)
        assert only(OVERDUE_IN_TEAM, planned()) == set()


@pytest.mark.parametrize("seed", seeds(0))
def test_nobody_hears_of_a_ticket_that_they_may_not_see(teams: Teams, seed: int) -> None:
    """Against the querysets that pages use, in organisations made by chance."""
    chance = random.Random(seed)
    units = [teams.engineering, teams.platform, teams.search]
    people = list(Person.objects.exclude(email=None))
    accounts = [create_user(persona) for persona in (ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER)]
    for reader in chance.sample(people, 5):
        others = [other for other in people if other != reader]
        Reporting.objects.create(person=reader, manager=chance.choice(others), during=ALWAYS)
    for unit in units:
        unit.leader = chance.choice([None, *people])
        unit.save()
    if chance.random() < 0.5:
        Grant.objects.create(user=chance.choice(accounts), role=Role.MANAGER, unit=chance.choice(units), during=ALWAYS)
    for number in range(30):
        ticket = filed(f"T{number}", due=-1, owner=None, unit=chance.choice([None, *units]))
        ticket.owner = chance.choice([None, *people])
        ticket.save()
    plan_reminders(today=local_today())
    sent = list(Notice.objects.filter(kind=MessageKind.OVERDUE_IN_TEAM).select_related("account"))
    assert sent
    for account in accounts:
        theirs = {notice.ticket_id for notice in sent if notice.account_id == account.pk and notice.ticket_id}
        seen = Ticket.objects.within(visibility_of(account)).filter(pk__in=theirs)
        assert set(seen.values_list("pk", flat=True)) == theirs
        assert not seen.filter(owner=visibility_of(account).person_id or 0).exists()


class TestWhatHappensToATicket:
    def test_an_owner_is_notified_that_it_is_theirs(self, teams: Teams) -> None:
        filed_one = ticket(title="A rota")
        assert [words(notice) for notice in Notice.objects.all()] == [("ada", ASSIGNED, "A rota")]
        Notice.objects.all().delete()
        change_ticket(as_(MANAGER), filed_one, draft(title="A better rota"), of_version=1)
        assert not Notice.objects.exists()
        change_ticket(as_(MANAGER), filed_one, draft(title="A better rota", owner="edith@example.com"), of_version=2)
        assert not Notice.objects.exists(), "who takes a ticket knows it"
        change_ticket(as_(MANAGER), filed_one, draft(title="A better rota"), of_version=3)
        assert [words(notice) for notice in Notice.objects.all()] == [("ada", ASSIGNED, "A better rota")]

    def test_a_comment_reaches_the_owner_and_watchers_and_not_its_author(self, teams: Teams) -> None:
        of_ada = ticket(title="A rota")  # Edith filed it, and watches it
        Notice.objects.all().delete()
        comment_on(as_(EXECUTIVE), of_ada, "How is it going?")
        texts = {words(notice) for notice in Notice.objects.all()}
        assert texts == {("ada", "ticket_commented", "A rota"), ("edith", "ticket_commented", "A rota")}

    def test_mentioned_people_get_that_notice_alone(self, teams: Teams) -> None:
        of_ada = ticket(title="A rota")
        Notice.objects.all().delete()
        comment_on(as_(MANAGER), of_ada, "@ada@example.com: and now? I, @edith@example.com, ask.")
        assert [words(notice) for notice in Notice.objects.all()] == [("ada", "mentioned", "A rota")]

    def test_a_mention_of_who_may_not_see_the_ticket_stays_hidden(self, teams: Teams) -> None:
        of_ada = ticket(title="A rota")
        comment_on(as_(MANAGER), of_ada, "@grace@example.com will help")
        hidden = Notice.objects.filter(account=create_user(OTHER_MEMBER))
        assert hidden.exists()
        assert not hidden.within(visibility_of(create_user(OTHER_MEMBER))).exists()

    def test_a_comment_that_is_not_stored_tells_nobody(self, teams: Teams) -> None:
        of_ada = ticket(title="A rota")
        Notice.objects.all().delete()
        with pytest.raises(Exception, match="Write something"):
            comment_on(as_(EXECUTIVE), of_ada, "  ")
        assert not Notice.objects.exists()

    def test_done_before_it_was_assigned_tells_nobody(self, teams: Teams) -> None:
        done = move_ticket(as_(MANAGER), ownerless(title="A rota"), TicketState.DONE)
        change_ticket(as_(MANAGER), done, draft(title="A rota"), of_version=2)
        assert not Notice.objects.exists()


class TestCheckIns:
    @pytest.fixture
    def objective(self, teams: Teams) -> Objective:
        quarter = quarter_at(date(2026, 5, 1))
        assert (quarter.start, quarter.end) == (date(2026, 4, 1), date(2026, 7, 1))
        return Objective.objects.create(
            quarter=quarter,
            unit=teams.platform,
            title="Halve the wait",
            owner=person("ada"),
            published_at="2026-04-03T10:00Z",
        )

    SPRING = tuple(date(2026, 4, 1) + timedelta(days=number) for number in range(100))

    def days(self) -> list[date]:
        """The days of the quarter on which Ada is asked, by the planning statement for check-ins alone."""
        return [day for day in self.SPRING if store_notices(of_check_ins_due(day))]

    def test_every_two_weeks(self, objective: Objective) -> None:
        days = [day for day in self.SPRING if only("check_in_due", planned_notices(today=day))]
        assert [f"{day:%m-%d}" for day in days] == ["04-17", "05-01", "05-15", "05-29", "06-12", "06-26"]

    @pytest.mark.parametrize(
        ("last", "statements"), [("05-20", ["06-03", "06-17"]), ("06-10", ["06-24"]), ("06-20", ["06-30"])]
    )
    def test_a_check_in_starts_the_two_weeks_anew(self, objective: Objective, last: str, statements: list[str]) -> None:
        """The first day is the one that pages name."""
        for day in ("04-20", last):
            stored = CheckIn.objects.create(objective=objective, at=f"2026-{day}T08:00Z", confidence="high")
        stored.refresh_from_db()
        days = self.days()
        assert [f"{day:%m-%d}" for day in days] == statements
        assert days[0] == check_in_due(Objective.objects.get(), stored, days[0])

    @pytest.mark.parametrize("change", [{"published_at": None}, {"dropped_at": "2026-04-04T00:00Z"}, {"owner": None}])
    def test_drafts_and_what_was_dropped_ask_nobody(self, objective: Objective, change: dict[str, str | None]) -> None:
        Objective.objects.filter(pk=objective.pk).update(**change)
        assert self.days() == []


class TestMissingObjectives:
    def test_managers_are_reminded_after_the_first_week_and_then_weekly(self, teams: Teams) -> None:
        quarter = quarter_at(date(2026, 5, 1))
        days = [quarter.start + timedelta(days=number) for number in range(25)]
        by_day = [(day, only("objective_missing", planned_notices(today=day))) for day in days]
        assert [f"{day:%m-%d}" for day, notices in by_day if ("edith", "Platform") in notices] == [
            "04-08",
            "04-15",
            "04-22",
        ]

    def test_a_team_that_has_one_is_left_alone(self, teams: Teams) -> None:
        quarter = current_quarter()
        Objective.objects.create(
            quarter=quarter, unit=teams.platform, title="x", is_mandatory=True, published_at="2026-01-01T00:00Z"
        )
        notices = planned_notices(today=quarter.start + timedelta(days=20))
        assert ("edith", "Platform") not in only("objective_missing", notices)

    def test_it_ends_for_units_of_a_tree_that_the_program_uses_no_longer(self, teams: Teams) -> None:
        day = quarter_at(date(2026, 5, 1)).start + timedelta(days=20)
        plan_reminders(today=day)
        missing = Notice.objects.unread().filter(kind=MessageKind.OBJECTIVE_MISSING)
        assert missing.exists()
        other = OrgTree.objects.create(name="Sites", slug="sites")
        ProgramSettings.objects.create(pk=1, teams_tree=other)
        plan_reminders(today=day)
        assert not missing.exists()


def test_planning_is_a_few_statements_however_many_there_are(teams: Teams) -> None:
    for number in range(40):
        filed(f"T{number}", due=-number, unit=teams.platform)
    with CaptureQueriesContext(connection) as queries:
        plan_reminders(today=local_today())
    assert len(queries) <= 40
    few = len(queries)
    for number in range(40):
        filed(f"U{number}", due=-number, unit=teams.platform)
    with CaptureQueriesContext(connection) as queries:
        plan_reminders(today=local_today())
    assert len(queries) <= few


@pytest.mark.django_db(transaction=True)
def test_two_planners_at_once_tell_once() -> None:
    with transaction.atomic():
        teams = create_teams()
    open_accounts()
    for number in range(50):
        filed(f"T{number}", due=-1, unit=teams.platform)
    quarter_at(local_today())
    planned: list[int] = []
    together = threading.Barrier(4)

    def plan() -> None:
        together.wait()
        planned.append(plan_reminders(today=local_today()))
        connection.close()

    planners = [threading.Thread(target=plan) for _ in range(4)]
    for planner in planners:
        planner.start()
    for planner in planners:
        planner.join()
    of_tickets = Notice.objects.filter(ticket__isnull=False)
    assert sum(planned) == Notice.objects.count()
    assert of_tickets.count() == 100  # Ada and Edith
