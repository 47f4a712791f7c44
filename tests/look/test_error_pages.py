"""Errors are pages of the same house, and the gravest of them needs nothing that may be broken."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.views import defaults
from django.views.csrf import csrf_failure

from tests.personas import MEMBER, create_user

NAVIGATION = b'<nav class="hw-nav"'


@pytest.mark.django_db
def test_an_unknown_address_is_answered_in_words() -> None:
    answer = Client().get("/there-is-no-such-page/")
    assert answer.status_code == 404
    assert b"This page does not exist" in answer.content
    assert NAVIGATION not in answer.content


@pytest.mark.django_db
def test_who_is_signed_in_keeps_the_navigation(member: Client) -> None:
    answer = member.get("/there-is-no-such-page/")
    assert answer.status_code == 404
    assert NAVIGATION in answer.content


def test_500_needs_no_database_and_no_context() -> None:
    """pytest-django refuses the database to this test."""
    answer = defaults.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert b"Something broke on our side" in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("view", "status", "words"),
    [
        (defaults.bad_request, 400, b"could not be read"),
        (defaults.page_not_found, 404, b"does not exist"),
    ],
)
def test_an_error_page_says_what_happened_and_where_to_go(view: object, status: int, words: bytes) -> None:
    request = RequestFactory().get("/")
    request.user = create_user(MEMBER)
    assert callable(view)
    answer = view(request, exception=Exception("details that nobody should read"))
    assert answer.status_code == status
    assert words in answer.content
    assert b'href="/"' in answer.content
    assert b"details that nobody should read" not in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("Only admins can connect <b>tools</b>.", b"Only admins can connect &lt;b&gt;tools&lt;/b&gt;."),
        ("", b"Your account lacks the right to see it."),
    ],
)
def test_a_refused_page_gives_the_reason_of_its_view(reason: str, shown: bytes) -> None:
    request = RequestFactory().get("/")
    request.user = create_user(MEMBER)
    answer = defaults.permission_denied(request, exception=PermissionDenied(reason))
    assert answer.status_code == 403
    assert b"You may not open this page" in answer.content
    assert shown in answer.content
    assert b'href="/"' in answer.content


@pytest.mark.django_db
def test_an_expired_form_says_that_nothing_changed() -> None:
    answer = csrf_failure(RequestFactory().post("/accounts/login/"))
    assert answer.status_code == 403
    assert b"Nothing was changed" in answer.content
