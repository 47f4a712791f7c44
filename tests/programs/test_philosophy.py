"""The measurement philosophy: everybody reads it, executives publish it, and nothing that was published is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test import Client

from core.write_errors import ConflictError, FieldError, MayNotWriteError
from programs.models import Acknowledgement, PhilosophyVersion
from programs.philosophy.publishing import current_philosophy, first_text, lines_between, publish_philosophy
from tests.pages.recomputed import plain
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, Persona, create_user, signed_in
from tests.programs.tickets import as_
from tests.teams import create_teams

PAGE = "/programs/philosophy/"
SignIn = Callable[[Persona], Client]


@pytest.fixture
def sign_in(db: None) -> SignIn:
    create_teams()
    return signed_in


def shown(client: Client, address: str = PAGE) -> str:
    return plain(client.get(address).content.decode())


def publish(text: str = "We measure teams.", reason: str = "Ours", of_number: int = 0) -> PhilosophyVersion:
    return publish_philosophy(as_(EXECUTIVE), text, reason, of_number=of_number)


def test_a_first_text_is_there_before_anybody_wrote_one(sign_in: SignIn) -> None:
    page = shown(sign_in(MEMBER))
    assert "Figures are hypotheses." in page
    assert "not published yet" in page
    assert "Who sees what" in first_text()


@pytest.mark.parametrize(
    ("persona", "may"), [(ADMIN, True), (EXECUTIVE, True), (MANAGER, False), (MEMBER, False), (AUDITOR, False)]
)
def test_executives_and_admins_publish(sign_in: SignIn, persona: Persona, may: bool) -> None:
    client = sign_in(persona)
    form = {"text": "We measure teams, *not people*.", "reason": "Ours", "number": "0"}
    answer = client.post(f"{PAGE}edit/", form)
    assert answer.status_code == (302 if may else 403)
    assert PhilosophyVersion.objects.exists() is may
    if may:
        assert "We measure teams," in shown(sign_in(MEMBER))
    else:
        with pytest.raises(MayNotWriteError):
            publish_philosophy(as_(persona), "Mine", "Mine", of_number=0)


def test_everybody_acknowledges_the_version_that_they_read(sign_in: SignIn) -> None:
    member = sign_in(MEMBER)
    for _ in range(2):
        member.post(f"{PAGE}acknowledge/", {"number": "0"})
    assert Acknowledgement.objects.count() == 1
    assert "You have read this version." in shown(member)
    publish()
    assert "I have read this" in shown(member), "the new one is another"
    answer = member.post(f"{PAGE}acknowledge/", {"number": "0"}, follow=True)
    assert "Please read it first" in answer.content.decode()
    member.post(f"{PAGE}acknowledge/", {"number": "1"})
    assert "Acknowledged by 1 of" in shown(sign_in(EXECUTIVE))
    assert "Acknowledged by" not in shown(sign_in(MANAGER))
    for nonsense in ("", "x", "-1", "99999999999999999999"):
        assert member.post(f"{PAGE}acknowledge/", {"number": nonsense}).status_code == 302


def test_versions_stay_and_say_what_they_changed(sign_in: SignIn) -> None:
    publish("One\n\nTwo")
    publish("One\n\nThree", "Counted again", of_number=1)
    page = shown(sign_in(MEMBER), f"{PAGE}versions/2/")
    assert "Counted again" in page
    changed = [(line.kind, line.text) for line in lines_between("One\n\nTwo", "One\n\nThree")]
    assert changed == [("", "One"), ("", ""), ("removed", "Two"), ("added", "Three")]
    for refused in (PhilosophyVersion.objects.all().delete, lambda: PhilosophyVersion.objects.update(text="x")):
        with pytest.raises(ProgrammingError, match="pgtrigger"), transaction.atomic():
            refused()


def test_of_two_who_write_at_once_the_second_sees_both_texts(sign_in: SignIn) -> None:
    publish("The first to publish")
    client = sign_in(ADMIN)
    answer = client.post(f"{PAGE}edit/", {"text": "The second to publish", "reason": "Mine", "number": "0"})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "The first to publish" in page
    assert "The second to publish" in page
    assert 'name="number" value="1"' in page
    assert current_philosophy().text == "The first to publish"


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_is_published() -> None:
    create_teams()
    ready, outcomes = threading.Barrier(2), []

    def write(text: str) -> None:
        access = as_(EXECUTIVE)
        ready.wait()
        try:
            publish_philosophy(access, text, "Mine", of_number=0)
            outcomes.append("published")
        except ConflictError:
            outcomes.append("told")
        finally:
            connection.close()

    create_user(EXECUTIVE)
    writers = [threading.Thread(target=write, args=(text,)) for text in ("one", "two")]
    for thread in writers:
        thread.start()
    for writer in writers:
        writer.join()
    assert sorted(outcomes) == ["published", "told"]


@pytest.mark.parametrize(
    ("text", "reason", "field"),
    [(" ", "Why", "text"), ("Text", " ", "reason"), ("x" * 50_001, "Why", "text"), ("a\x00", "Why", "text")],
)
def test_what_says_nothing_is_refused(sign_in: SignIn, text: str, reason: str, field: str) -> None:
    with pytest.raises(FieldError) as refused:
        publish(text, reason)
    assert refused.value.field == field
    publish()
    with pytest.raises(FieldError, match="already published"):
        publish(of_number=1)


def test_scripts_in_it_never_run(sign_in: SignIn) -> None:
    hostile = "<script>alert(1)</script>\n\n[x](javascript:alert(1))"
    publish(hostile)
    client = sign_in(EXECUTIVE)
    preview = client.post(f"{PAGE}edit/", {"text": hostile, "number": "1", "preview": "1"}).content.decode()
    for page in (client.get(PAGE).content.decode(), client.get(f"{PAGE}versions/1/").content.decode(), preview):
        assert "<script>alert" not in page
        assert 'href="javascript' not in page
