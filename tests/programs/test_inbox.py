"""The inbox, the form for which messages one gets, and the outbox that admins see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from insights.query.windows import local_today
from orgtree.access.api_tokens import create_api_token
from orgtree.models import Person
from programs.comments.writing import comment_on
from programs.models import Channel, Delivery, MessageKind, Notice, OptOut, OutgoingEmail, QuietHours, TicketState
from programs.reminders.services.outbox import forget_old_messages
from programs.reminders.services.planning import plan_reminders
from programs.reminders.services.preferences import preferences_of
from tests.org import Org
from tests.pages.recomputed import plain
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, PERSONAS, Persona, create_user
from tests.programs.reminders import agree_on_objectives, filed, open_accounts
from tests.programs.tickets import as_, ticket
from tests.teams import Teams, create_teams

SignIn = Callable[[Persona], Client]
MOST_QUERIES = 15
COUNT = "/programs/inbox/count/"


@pytest.fixture
def teams(org: Org) -> Teams:
    made = create_teams()
    open_accounts()
    agree_on_objectives(made, local_today())
    return made


def page(client: Client, address: str = "/programs/inbox/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return plain(answer.content.decode())


def notice_of(persona: Persona) -> Notice:
    return Notice.objects.get(account=create_user(persona))


def test_everybody_finds_their_own_notices(teams: Teams, sign_in: SignIn) -> None:
    filed("A rota", due=-3, unit=teams.platform)
    plan_reminders()
    assert "3 days overdue" in page(sign_in(MEMBER))
    of_manager = page(sign_in(MANAGER))
    assert "A rota" in of_manager
    assert "Platform, owner: Ada" in of_manager
    assert "No unread notifications" in page(sign_in(OTHER_MEMBER))


@pytest.mark.parametrize("ends", ["done", "later", "somebody else's"])
def test_a_notice_ends_with_its_reason(teams: Teams, sign_in: SignIn, ends: str) -> None:
    about = filed("A rota", due=-3, unit=teams.platform)
    plan_reminders()
    assert "3 days overdue" in page(sign_in(MEMBER))
    match ends:
        case "done":
            about.state, about.completed_on = TicketState.DONE, local_today()
        case "later":
            about.due_on = local_today() + timedelta(days=30)
        case _:
            about.owner = Person.objects.get(email=OTHER_MEMBER.email)
    about.save()
    plan_reminders()
    assert "No unread notifications" in page(sign_in(MEMBER))
    assert notice_of(MEMBER).read_at is not None, "it stays among all"


def test_nobody_opens_or_marks_notices_of_others(teams: Teams, sign_in: SignIn) -> None:
    filed("A rota", due=0, unit=teams.platform)
    plan_reminders()
    notice = notice_of(MEMBER)
    for persona in PERSONAS:
        client = sign_in(persona)
        expected = 302 if persona is MEMBER else 404
        assert client.post(reverse("notice_read", args=[notice.pk]), {"read": "1"}).status_code == expected
        assert client.get(reverse("notice_open", args=[notice.pk])).status_code == expected
    client = Client()
    assert client.get(reverse("notice_open", args=[notice.pk])).status_code == 302
    assert "/accounts/login/" in client.get(reverse("inbox"))["Location"]


def test_what_one_may_not_see_any_more_is_gone_from_inbox_and_bell(teams: Teams, sign_in: SignIn) -> None:
    lost = filed("A rota", due=0, unit=teams.platform)
    plan_reminders()
    lost.owner, lost.unit = None, teams.search
    lost.save()
    client = sign_in(MEMBER)
    assert "A rota" not in page(client, "/programs/inbox/?show=all")
    assert "unread" not in page(client, COUNT)
    assert client.get(reverse("notice_open", args=[notice_of(MEMBER).pk])).status_code == 404


def test_opening_reads_and_leads_to_the_ticket(teams: Teams, sign_in: SignIn) -> None:
    about = filed("A rota", due=0, unit=teams.platform)
    plan_reminders()
    client = sign_in(MEMBER)
    assert "1 unread" in page(client, COUNT)
    answer = client.get(reverse("notice_open", args=[notice_of(MEMBER).pk]))
    assert answer["Location"] == reverse("ticket", args=[about.pk])
    assert notice_of(MEMBER).read_at is not None
    assert "1 unread" not in page(client, COUNT)
    assert "No unread notifications" in page(client)
    assert "A rota" in page(client, "/programs/inbox/?show=all")


def test_notices_are_marked_read_and_unread(teams: Teams, sign_in: SignIn) -> None:
    for number in range(3):
        filed(f"T{number}", due=0, unit=teams.platform)
    plan_reminders()
    client = sign_in(MEMBER)
    first = Notice.objects.filter(account=create_user(MEMBER)).first()
    assert first is not None
    back = "/programs/inbox/?show=all"
    answer = client.post(reverse("notice_read", args=[first.pk]), {"read": "1", "back": back})
    assert answer["Location"] == back
    assert Notice.objects.unread().count() == 2
    answer = client.post(reverse("notice_read", args=[first.pk]), {"read": "0", "back": "https://evil.example.com/"})
    assert answer["Location"] == "/programs/inbox/"
    assert Notice.objects.unread().count() == 3
    client.post(reverse("inbox_read_all"))
    assert not Notice.objects.unread().exists()


def test_a_comment_is_quoted_and_runs_nothing(teams: Teams, sign_in: SignIn) -> None:
    comment_on(as_(MANAGER), ticket(title="A rota"), "@ada@example.com <script>alert(1)</script>")
    shown = sign_in(MEMBER).get("/programs/inbox/").content.decode()
    assert "Edith mentions you" in shown
    assert "<script>alert" not in shown


def test_a_full_inbox_stays_cheap(teams: Teams, sign_in: SignIn) -> None:
    for number in range(60):
        filed(f"T{number}", due=-number, unit=teams.platform)
    plan_reminders()
    for persona in (MEMBER, MANAGER):
        client = sign_in(persona)
        client.get("/programs/inbox/")
        with CaptureQueriesContext(connection) as queries:
            shown = page(client, "/programs/inbox/?page=2")
        assert len(queries) <= MOST_QUERIES
        assert "26–50 of " in shown


def test_no_page_waits_for_the_bell(teams: Teams, sign_in: SignIn) -> None:
    filed("A rota", due=0, unit=teams.platform)
    plan_reminders()
    client = sign_in(MEMBER)
    with CaptureQueriesContext(connection) as queries:
        shown = client.get("/programs/philosophy/").content.decode()
    assert not any("programs_notice" in query["sql"] for query in queries)
    assert f'hx-get="{COUNT}"' in shown
    with CaptureQueriesContext(connection) as queries:
        client.get(COUNT)
    assert sum("programs_notice" in query["sql"] for query in queries) == 1


def test_an_address_that_means_nothing_is_named(teams: Teams, sign_in: SignIn) -> None:
    assert sign_in(MEMBER).get("/programs/inbox/?show=everything").status_code == 400


class TestPreferences:
    FORM = {"is_on": "on", "kinds": ["ticket_due", "mentioned"], "begins": "21:30", "ends": "07:15"}

    def test_all_is_on_at_first_and_nights_are_quiet(self, teams: Teams, sign_in: SignIn) -> None:
        known = preferences_of(create_user(MEMBER))
        assert known.is_on
        assert known.kinds == set(MessageKind.values)
        assert (known.begins, known.ends) == (time(20), time(8))
        assert "has no mail server" in page(sign_in(MEMBER), "/account/notifications/")

    def test_they_are_stored_and_shown_again(self, teams: Teams, sign_in: SignIn) -> None:
        client = sign_in(MEMBER)
        answer = client.post("/account/notifications/", {**self.FORM, "time_zone": "Asia/Tokyo"})
        assert answer.status_code == 302
        known = preferences_of(create_user(MEMBER))
        assert known.is_on
        assert known.kinds == {"ticket_due", "mentioned"}
        assert QuietHours.objects.get().time_zone == "Asia/Tokyo"
        shown = client.get("/account/notifications/").content.decode()
        assert 'value="21:30"' in shown
        assert shown.count("checked") == 3
        client.post("/account/notifications/", {**self.FORM, "kinds": MessageKind.values})
        assert not OptOut.objects.exists()

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"time_zone": "Mars/Olympus"}, "There is no time zone"),
            ({"time_zone": "../etc/passwd"}, "There is no time zone"),
            ({"kinds": ["weather"]}, "Select a valid choice"),
            ({"begins": "noon"}, "Enter a valid time"),
        ],
    )
    def test_what_cannot_be_is_named(self, teams: Teams, sign_in: SignIn, wrong: dict[str, str], words: str) -> None:
        answer = sign_in(MEMBER).post("/account/notifications/", {**self.FORM, **wrong})
        assert answer.status_code == 400
        assert words in answer.content.decode()
        assert not QuietHours.objects.exists()

    def test_what_waits_follows_new_quiet_hours(self, teams: Teams, sign_in: SignIn) -> None:
        filed("A rota", due=0, unit=teams.platform)
        plan_reminders()
        far = timezone.now() + timedelta(days=9)
        Delivery.objects.create(notice=notice_of(MEMBER), channel=Channel.EMAIL, not_before=far)
        sign_in(MEMBER).post("/account/notifications/", self.FORM)
        assert Delivery.objects.get().not_before < far - timedelta(days=8)


class TestOverdueInMyTeams:
    def test_a_manager_sees_what_their_people_are_late_with(self, teams: Teams, sign_in: SignIn) -> None:
        filed("Late", due=-2, unit=teams.platform)
        filed("Not late", due=2, unit=teams.platform)
        filed("Late of everybody", due=-2, owner=None)
        client = sign_in(MANAGER)
        assert "Overdue in my teams" in page(client, "/programs/tickets/")
        shown = page(client, "/programs/tickets/?teams=1&state=overdue")
        assert "Late 2" not in shown
        assert "Not late" not in shown
        assert "Late of everybody" not in shown
        assert "2 days late" in shown

    def test_members_and_executives_are_not_offered_it(self, teams: Teams, sign_in: SignIn) -> None:
        for persona in (MEMBER, EXECUTIVE):
            assert "Overdue in my teams" not in page(sign_in(persona), "/programs/tickets/")


class TestTheOutboxInAdmin:
    def test_admins_see_why_and_try_again(self, teams: Teams, sign_in: SignIn) -> None:
        filed("A rota", due=0, unit=teams.platform)
        plan_reminders()
        email = OutgoingEmail.objects.create(
            account=create_user(MEMBER), channel=Channel.EMAIL, state="failed", reason="550 No such mailbox", attempts=1
        )
        Delivery.objects.create(notice=notice_of(MEMBER), channel=Channel.EMAIL, email=email)
        admin = sign_in(ADMIN)
        listed = page(admin, reverse("admin:programs_outgoingemail_changelist"))
        assert "550 No such mailbox" in listed
        shown = page(admin, reverse("admin:programs_outgoingemail_change", args=[email.pk]))
        assert "A rota" in shown
        admin.post(
            reverse("admin:programs_outgoingemail_changelist"), {"action": "try_again", "_selected_action": [email.pk]}
        )
        email.refresh_from_db()
        assert (email.state, email.attempts, email.reason) == ("waiting", 0, "")
        answer = admin.post(reverse("admin:programs_outgoingemail_change", args=[email.pk]), {"state": "sent"})
        email.refresh_from_db()
        assert answer.status_code == 403
        assert email.state == "waiting"
        assert admin.post(reverse("admin:programs_outgoingemail_delete", args=[email.pk])).status_code == 403

    @pytest.mark.parametrize("persona", [MEMBER, MANAGER, EXECUTIVE])
    def test_nobody_else_does(self, teams: Teams, sign_in: SignIn, persona: Persona) -> None:
        assert sign_in(persona).get(reverse("admin:programs_outgoingemail_changelist")).status_code != 200


def test_old_notices_and_emails_are_deleted(teams: Teams) -> None:
    filed("A rota", due=0, unit=teams.platform)
    plan_reminders()
    long_ago = timezone.now() - timedelta(days=181)
    account = create_user(MEMBER)
    recent = OutgoingEmail.objects.create(account=account, channel=Channel.EMAIL, made_at=long_ago)
    OutgoingEmail.objects.create(account=account, channel=Channel.EMAIL, made_at=long_ago, state="sent")
    assert forget_old_messages() == 1
    assert OutgoingEmail.objects.get() == recent
    Notice.objects.update(at=long_ago)
    forget_old_messages()
    assert not Notice.objects.exists()


class TestTheApi:
    @pytest.fixture
    def notice(self, teams: Teams) -> Notice:
        filed("A rota", due=-3, unit=teams.platform)
        plan_reminders()
        return notice_of(MEMBER)

    def test_an_account_reads_its_own_notices(self, notice: Notice, sign_in: SignIn) -> None:
        answer = sign_in(MEMBER).get("/api/v1/notices/").json()
        assert answer["total"] == 1
        [document] = answer["notices"]
        assert (document["id"], document["kind"], document["label"]) == (notice.pk, "ticket_overdue", "3 days overdue")
        assert document["url"].endswith(f"/programs/tickets/{notice.ticket_id}/")
        assert sign_in(OTHER_MEMBER).get("/api/v1/notices/").json() == {"total": 0, "notices": []}

    def test_nobody_marks_notices_of_others(self, notice: Notice, sign_in: SignIn) -> None:
        def read(persona: Persona, sent: object) -> object:
            return sign_in(persona).post("/api/v1/notices/read/", sent, content_type="application/json").json()

        assert read(OTHER_MEMBER, {"notices": [notice.pk]}) == {"read": 0}
        assert read(MANAGER, {}) == {"read": 1}
        assert read(MEMBER, {"notices": [notice.pk, 4711]}) == {"read": 1}
        assert sign_in(MEMBER).get("/api/v1/notices/").json()["total"] == 0
        assert sign_in(MEMBER).get("/api/v1/notices/?show=all").json()["notices"][0]["read_at"] is not None

    @pytest.mark.parametrize("sent", ['{"notices": 5}', '{"notices": ["x"]}', '{"all": true}', "[]"])
    def test_what_is_wrong_is_named(self, notice: Notice, sign_in: SignIn, sent: str) -> None:
        answer = sign_in(MEMBER).post("/api/v1/notices/read/", sent, content_type="application/json")
        assert answer.status_code == 400
        assert sign_in(MEMBER).get("/api/v1/notices/?show=some").status_code == 400

    def test_a_token_of_nobody_has_no_inbox(self, notice: Notice) -> None:
        _, secret = create_api_token("reader", user=None, expires_at=None)
        answer = Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/notices/")
        assert answer.json() == {"total": 0, "notices": []}
