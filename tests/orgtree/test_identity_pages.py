"""The identity review pages, with and without JavaScript, for admins only."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from orgtree.identities.match_identities import match_identities
from orgtree.models import IdentityChange, MatchProposal, Person, Standing
from tests.orgtree.identity_world import employed, of, seen, signed

pytestmark = pytest.mark.django_db

LOGIN = signed("Finch Imagined", "40100301+finch-imagined@users.noreply.github.com")
SECOND = signed("Cedar Mockley", "cedar@mockley.example.com")
STRANGER = signed("Willow O’Hara <b>", "wo@elsewhere.example.org")
PAGES = ("identities", "identities_unmatched", "identities_matched", "identities_bots", "identities_log")


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin", "admin@example.com"))
    return client


@pytest.fixture
def finch() -> Person:
    return employed("Finch Imagined", "finch.imagined@example.com")


@pytest.fixture
def _waiting(finch: Person) -> None:
    employed("Cedar Mockley", "cedar.mockley@example.com")
    for name in (LOGIN, SECOND, STRANGER):
        seen(name)
    match_identities()


def proposal(name: str) -> MatchProposal:
    return MatchProposal.objects.get(identity__value=name)


def post(client: Client, page: str = "identities", *, htmx: bool = False, **fields: object) -> str:
    headers = {"HX-Request": "true"} if htmx else {}
    answer = client.post(reverse(page), fields, headers=headers, follow=True)
    assert answer.status_code == 200, answer.content[:300]
    return answer.content.decode()


@pytest.mark.usefixtures("_waiting")
def test_what_waits_is_shown_with_its_evidence(admin: Client) -> None:
    page = admin.get(reverse("identities")).content.decode()
    assert "finch-imagined" in page
    assert "Signed “Finch Imagined”, which is also Finch Imagined’s name." in page
    assert "mockley.example.com is a part of example.com." in page
    assert "Waiting (2)" in page


@pytest.mark.usefixtures("_waiting")
@pytest.mark.parametrize("htmx", [False, True], ids=["without scripts", "htmx"])
def test_confirming_and_taking_it_back(admin: Client, finch: Person, htmx: bool) -> None:
    page = post(admin, htmx=htmx, confirm=proposal("finch-imagined").pk)
    assert "finch-imagined is Finch Imagined now." in page
    assert ("<html" in page) is not htmx
    assert of(LOGIN).person == finch
    page = post(admin, htmx=htmx, undo=IdentityChange.objects.get().pk)
    assert "Taken back." in page
    assert of(LOGIN).standing == Standing.WAITING


@pytest.mark.usefixtures("_waiting")
@pytest.mark.parametrize(("action", "standing"), [("confirm", "decided"), ("reject", "found"), ("bot", "bot")])
def test_several_at_once_and_all_of_it_back(admin: Client, action: str, standing: str) -> None:
    chosen = list(MatchProposal.objects.values_list("pk", flat=True))
    page = post(admin, bulk=action, chosen=chosen)
    assert "2 identities are " in page
    assert {of(LOGIN).standing, of(SECOND).standing} == {standing}
    ids = IdentityChange.objects.values_list("pk", flat=True)
    assert "2 decisions are undone." in post(admin, undo=",".join(map(str, ids)))
    assert {of(LOGIN).standing, of(SECOND).standing} == {"waiting"}


@pytest.mark.usefixtures("_waiting")
def test_giving_splitting_and_merging(admin: Client, finch: Person) -> None:
    address = reverse("identity", args=[of(SECOND).pk])
    response = admin.post(address, {"assign": of(SECOND).pk, "person": "nobody@example.com"}, follow=True)
    assert "No person has the name or address" in response.content.decode()
    admin.post(address, {"assign": of(SECOND).pk, "person": "FINCH.imagined@example.com"})
    assert of(SECOND).person == finch
    admin.post(reverse("identity_person", args=[finch.public_id]), {"split": of(SECOND).pk})
    assert of(SECOND).person not in (finch, None)
    stranger = of(STRANGER).person
    assert stranger is not None
    response = admin.post(
        reverse("identities_matched"), {"merge": stranger.pk, "person": "Finch Imagined"}, follow=True
    )
    assert "are one person now" in response.content.decode()
    assert of(STRANGER).person == finch


@pytest.mark.usefixtures("_waiting")
def test_bots_are_listed_and_let_go(admin: Client) -> None:
    post(admin, bot=of(STRANGER).pk)
    assert "wo@elsewhere.example.org" in admin.get(reverse("identities_bots")).content.decode()
    post(admin, "identities_bots", no_bot=of(STRANGER).pk)
    assert of(STRANGER).person is not None


@pytest.mark.usefixtures("_waiting")
def test_the_log_tells_who_decided_what(admin: Client) -> None:
    post(admin, confirm=proposal("finch-imagined").pk)
    post(admin, reject=proposal("cedar@mockley.example.com").pk)
    page = admin.get(reverse("identities_log")).content.decode()
    assert "admin" in page
    assert "waiting → Finch Imagined" in page
    assert "cedar@mockley.example.com is not Cedar Mockley" in page


@pytest.mark.usefixtures("_waiting")
def test_names_are_text_wherever_they_come_from(admin: Client) -> None:
    for page in PAGES:
        assert "O’Hara <b>" not in admin.get(reverse(page), {"q": "wo"}).content.decode()


@pytest.mark.usefixtures("_waiting")
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"confirm": "1; drop"},
        {"confirm": "99999999999999999999"},
        {"split": "987654"},
        {"bulk": "confirm"},
        {"bulk": "melt", "chosen": "1"},
        {"undo": "x"},
        {"merge": "987654", "person": "Finch Imagined"},
        {"assign": "987654", "person": ""},
    ],
    ids=str,
)
def test_what_makes_no_sense_changes_nothing(admin: Client, fields: dict[str, str]) -> None:
    answer = admin.post(reverse("identities"), fields, follow=True)
    assert answer.status_code in (200, 404)
    assert not IdentityChange.objects.exists()


@pytest.mark.parametrize("search", ["%", "_", "\u202e", "x" * 500, "'"])
@pytest.mark.usefixtures("_waiting")
def test_any_search_is_answered(admin: Client, search: str) -> None:
    for page in PAGES:
        assert admin.get(reverse(page), {"q": search, "page": "999", "certainty": "?"}).status_code == 200


@pytest.mark.usefixtures("_waiting")
def test_all_certainties_are_shown_again(admin: Client) -> None:
    page = admin.get(reverse("identities"), {"certainty": "high"}).content.decode()
    assert '<a href="?">All</a>' in page


@pytest.mark.usefixtures("_waiting")
def test_nobody_but_admins_learns_that_the_pages_exist(client: Client, finch: Person) -> None:
    client.force_login(User.objects.create_user("finch", "finch.imagined@example.com", is_staff=True))
    addresses = [reverse(page) for page in PAGES]
    addresses += [reverse("identity", args=[of(LOGIN).pk]), reverse("identity_person", args=[finch.public_id])]
    for address in addresses:
        assert client.get(address).status_code == 404
        assert client.post(address, {"confirm": proposal("finch-imagined").pk}).status_code == 404
    assert of(LOGIN).person is None
    assert not IdentityChange.objects.exists()
