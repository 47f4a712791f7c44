"""An installation with which several people sign is nobody's where no address is present, in any order."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from integrations.facts.ai import AGENT_SESSION_DAYS
from integrations.models import AgentSession
from integrations.telemetry.otlp.store_sessions import forget_identities
from integrations.telemetry.sessions.fold import fold_received_batches
from orgtree.identities.moves import move_identities
from orgtree.models import Identity, IdentityKind, Person, Standing
from tests.telemetry.intake import Intake, Json, log_record, logs, rows

pytestmark = pytest.mark.django_db

KAY, LOU = "kay@example.com", "lou@example.com"
FOUR_ORDERS = [
    pytest.param(order, marks=[] if number % 5 == 0 else pytest.mark.soak)
    for number, order in enumerate(itertools.permutations(range(4)))
]


def request(session: str, tokens: int, *, email: str = "", machine: str = "shared", **attributes: Any) -> Json:
    sent = {
        "event.name": "api_request",
        "session.id": session,
        "user.id": machine,
        "model": "claude-sonnet-4-5",
        "request_id": f"req {session} {tokens}",
        "input_tokens": 0,
        "output_tokens": tokens,
        **({"user.email": email} if email else {}),
        **attributes,
    }
    return logs(log_record(sent))


def send(intake: Intake, bodies: Sequence[Json], *, forgetful: bool = False) -> None:
    for body in bodies:
        intake.send(body)
        if forgetful:
            forget_identities()
            fold_received_batches()
    fold_received_batches()


def tokens_of() -> dict[str, int]:
    """Tokens by the address of their person; empty for nobody."""
    found = rows(
        f"SELECT coalesce(person.email, '') AS email, sum(tokens) AS tokens"
        f" FROM ({AGENT_SESSION_DAYS.sql}) AS days LEFT JOIN orgtree_person person ON person.id = days.person_id"
        " GROUP BY 1"
    )
    return {row["email"]: int(row["tokens"]) for row in found}


@pytest.mark.parametrize("forgetful", [False, True], ids=["at once", "one by one"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_what_two_people_use_is_nobody_s_without_an_address(
    intake: Intake, order: Sequence[int], forgetful: bool
) -> None:
    bodies = [
        request("d", 4_000, email=KAY),
        request("e", 50_000, email=LOU),
        request("f", 600_000),
    ]
    send(intake, [bodies[position] for position in order], forgetful=forgetful)
    assert tokens_of() == {KAY: 4_000, LOU: 50_000, "": 600_000}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_an_own_machine_is_its_person_s(intake: Intake, order: Sequence[int]) -> None:
    own = [
        request("a", 1, machine="own"),
        request("b", 20, machine="own", email=KAY),
        request("c", 300, machine="own"),
    ]
    send(intake, [own[position] for position in order])
    assert tokens_of() == {KAY: 321}


@pytest.mark.parametrize("forgetful", [False, True], ids=["at once", "one by one"])
@pytest.mark.parametrize("order", FOUR_ORDERS)
def test_a_session_of_which_one_record_has_an_address_stays_its_person_s(
    intake: Intake, order: Sequence[int], forgetful: bool
) -> None:
    """Events name the address, and metrics or some events the installation alone."""
    bodies = [
        request("d", 4_000),
        request("d", 300, email=KAY),
        request("d", 20),
        request("e", 50_000, email=LOU),
    ]
    send(intake, [bodies[position] for position in order], forgetful=forgetful)
    assert tokens_of() == {KAY: 4_320, LOU: 50_000}
    assert AgentSession.objects.count() == 2


def test_of_a_session_that_two_people_have_the_nameless_rest_is_nobody_s(intake: Intake) -> None:
    send(intake, [request("d", 1, email=KAY), request("d", 20, email=LOU), request("d", 300)])
    assert tokens_of() == {KAY: 1, LOU: 20, "": 300}


def test_two_addresses_that_turn_out_to_be_one_person_get_the_installation_back(intake: Intake) -> None:
    send(intake, [request("d", 1, email=KAY), request("e", 20, email=LOU), request("f", 300)])
    kay, lou = Person.objects.get(email=KAY), Identity.objects.get(value=LOU)
    assert Identity.objects.get(kind=IdentityKind.INSTALLATION).person is None
    move_identities({lou.pk: kay.pk})
    installation = Identity.objects.get(kind=IdentityKind.INSTALLATION)
    assert (installation.person, installation.is_shared) == (kay, False)
    assert tokens_of() == {KAY: 321}


def test_people_who_sign_in_from_one_container_do_not_affect_one_another(intake: Intake) -> None:
    """A runner with a baked-in ~/.claude: a hundred people, one installation."""
    people = [f"p{number}@example.com" for number in range(30)]
    send(intake, [request(f"s{number}", 1, email=email) for number, email in enumerate(people)])
    send(intake, [request("nameless", 5)])
    assert tokens_of() == {**Counter(people), "": 5}


def test_what_an_admin_decided_of_an_installation_stands(intake: Intake) -> None:
    send(intake, [request("d", 1, email=KAY)])
    Identity.objects.filter(kind=IdentityKind.INSTALLATION).update(standing=Standing.DECIDED)
    send(intake, [request("e", 20, email=LOU), request("f", 300)])
    assert tokens_of() == {KAY: 301, LOU: 20}
