"""The cost of a pull request or work item reveals data of the people who ran the sessions, not of its author."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from insights.engine.read import read_totals
from insights.privacy.visible import visible_rows, visible_totals
from insights.query.query import MetricValue, Query, Scope, Window
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import AttributionWork, Commit, Enrolment
from orgtree.access.access import access_of
from orgtree.models import Identity, IndividualPolicy, MembersSee, Organisation, Person
from tests.code.attribution.world import at, attribute, commit, day_of, identity, session
from tests.delivery.pull_requests.histories import Commit as Listed
from tests.delivery.pull_requests.histories import History, draft_of
from tests.intake.conftest import Tell, github, tell
from tests.orgtree.identity_world import assign_identities
from tests.personas import ADMIN, EXECUTIVE, create_user

__all__ = ["github", "tell"]

pytestmark = pytest.mark.django_db
WEEK = Window(day_of(0), day_of(7))
AUTHORS = ("ben", "cem", "dee", "eve", "fay")


@pytest.fixture(autouse=True)
def _protected() -> None:
    policy = {"individual_policy": IndividualPolicy.PSEUDONYMS, "minimum_group_size": 5}
    seen = {"members_see": MembersSee.EVERYTHING, "protected_since": timezone.now()}
    Organisation.objects.update_or_create(pk=1, defaults={**policy, **seen})


def merged_by(tell: Tell, authors: dict[int, str], sessions: dict[int, str], *, closed: bool = False) -> None:
    """Pull requests by number with their authors, each with the commit of a session of that person, of a dollar."""
    for number, who in sessions.items():
        session(f"s{number}", "10:00", "11:00", day=number % 5, by=f"{who}@example.com")
        listed = commit(f"c{number}", "10:10", {f"{number}.py": 20}, day=number % 5, by=f"{who}@example.com")
        history = History(number, authors[number], at("10:30", number % 5))
        history.commits = [Listed(listed.sha, listed.authored_at, listed.committed_at)]
        end = at("15:00", number % 5)
        history.merged_at, history.closed_at = (None, end) if closed else (end, None)
        tell(draft_of(history))
    for who in {*authors.values(), *sessions.values()}:
        if not who.endswith("[bot]"):
            person, _ = Person.objects.get_or_create(email=f"{who}@example.com")
            assign_identities(list(Identity.objects.filter(value__in=[who, person.email])), person)
    Person.objects.update(found_in_data=False)
    while AttributionWork.objects.exists() or recompute_waiting_pull_requests():
        attribute()


def seen(key: str, viewer: User, scope: Scope | None = None) -> MetricValue:
    [answer] = visible_totals([Query(key, WEEK, scope=scope or Scope())], access_of(viewer))
    return answer.total[0]


@pytest.mark.parametrize("author", [*AUTHORS[:1], "copilot-swe-agent[bot]"])
@pytest.mark.parametrize(("key", "closed"), [("ai.spend_per_merged_pr", False), ("ai.spend_abandoned", True)])
def test_the_sessions_of_one_person_are_hidden_whoever_wrote(tell: Tell, author: str, key: str, closed: bool) -> None:
    """Five pull requests, by an autonomous agent or by five people; the sessions behind them are Ada's."""
    authors = {number: author if "[bot]" in author else name for number, name in enumerate(AUTHORS)}
    merged_by(tell, authors, dict.fromkeys(authors, "ada"), closed=closed)
    [answer] = read_totals([Query(key, WEEK)])
    assert (answer.total[0].sample_size, answer.total[0].people) == (5, 1)
    for persona in (EXECUTIVE, ADMIN):
        found = seen(key, create_user(persona))
        assert found.withheld
        assert found.value is None


def test_the_sessions_of_enough_people_are_shown_though_an_agent_wrote(tell: Tell) -> None:
    authors = dict.fromkeys(range(5), "copilot-swe-agent[bot]")
    merged_by(tell, authors, dict(enumerate(AUTHORS)))
    assert seen("ai.spend_per_merged_pr", create_user(EXECUTIVE)).value == 1.0


def test_authors_do_not_read_what_others_spent_on_their_pull_requests(tell: Tell) -> None:
    """Ben wrote #0 and #1; Ada ran the session behind #1."""
    merged_by(tell, {0: "ben", 1: "ben"}, {0: "ben", 1: "ada"})
    person = Person.objects.get(email="ben@example.com")
    viewer = User.objects.create(username="ben@example.com", email="ben@example.com")
    own = Scope(person_id=person.pk)
    found = seen("ai.spend_per_merged_pr", viewer, own)
    assert (found.value, found.sample_size) == (1.0, 1)
    rows = visible_rows(Query("ai.spend_per_merged_pr", WEEK), access_of(viewer))
    assert [row["reference"] for row in rows.rows] == ["acme/shop#0"]


@pytest.mark.parametrize("claimed", [True, False])
def test_telemetry_that_claims_addresses_makes_no_group(tell: Tell, claimed: bool) -> None:
    """Behind an agent's pull requests are sessions of Ada, and of four people whom nothing but telemetry names."""
    authors = dict.fromkeys(range(5), "copilot-swe-agent[bot]")
    merged_by(tell, authors, dict(enumerate(("ada", *AUTHORS[:4]))))
    for name in AUTHORS[:4]:
        Enrolment.objects.create(identity=identity(f"{name}@example.com"), first_at=at("10:00"))
    Person.objects.exclude(email="ada@example.com").update(found_in_data=claimed)
    Commit.objects.update(without_clone=True)
    assert seen("ai.spend_per_merged_pr", create_user(ADMIN)).withheld is claimed
