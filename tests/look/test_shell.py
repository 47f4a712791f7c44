"""The frame of every page: navigation, theme script, policy headers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse

from config.context_processors import navigation
from tests.personas import ADMIN, MEMBER, Persona, create_user

pytestmark = pytest.mark.django_db


def labels(persona: Persona, path: str = "/") -> dict[str, bool]:
    request = RequestFactory().get(path)
    request.user = create_user(persona)
    return {entry.label: current for _, links in navigation(request) for entry, _, current in links}


def test_members_are_not_shown_the_way_to_the_admin() -> None:
    assert "Admin" not in labels(MEMBER)
    assert "Admin" in labels(ADMIN)


def test_exactly_the_open_page_is_marked() -> None:
    for path, label in (("/", "Home"), ("/insights/ai/", "AI"), ("/insights/ai/charts/spend/", "AI")):
        assert [name for name, current in labels(ADMIN, path).items() if current] == [label]


def test_the_theme_is_set_before_anything_is_painted(sign_in: Callable[[Persona], Client]) -> None:
    page = sign_in(ADMIN).get(reverse("component_states")).content.decode()
    script = re.search(r'<script src="[^"]*theme[^"]*"></script>', page)
    assert script, "the theme script is neither deferred nor a module"
    assert script.start() < page.index('rel="stylesheet"')


def test_the_policy_allows_this_origin_and_nothing_inline(sign_in: Callable[[Persona], Client]) -> None:
    answer = sign_in(ADMIN).get(reverse("component_states"))
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_a_panel_is_a_page_of_its_own_without_htmx(sign_in: Callable[[Persona], Client]) -> None:
    client = sign_in(ADMIN)
    address = reverse("component_states_panel")
    assert b'<nav class="hw-nav"' in client.get(address).content
    inside = client.get(address, headers={"HX-Request": "true"}).content
    assert b"<nav" not in inside
    assert b"How is this computed?" in inside


def test_modules_import_their_neighbours_under_hashed_names(tmp_path: Path) -> None:
    storages = {**settings.STORAGES, "staticfiles": {"BACKEND": "config.static_storage.HashedStaticFiles"}}
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=storages):
        call_command("collectstatic", interactive=False, verbosity=0)
    (main,) = tmp_path.glob("js/main.*.js")
    imported = re.findall(r'import ?"\./([^"]+)"', main.read_text())
    assert imported
    for name in imported:
        assert re.fullmatch(r"[a-z-]+\.[0-9a-f]{12}\.js", name)
        assert (tmp_path / "js" / name).exists()
