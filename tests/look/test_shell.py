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

from config.context_processors import DOCS, ENTRIES, MORE_PAGES, MOST_OPEN, OPEN_FOR, RECORDS_DOC, navigation
from config.documentation import doc_pages
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, Persona, create_user

pytestmark = pytest.mark.django_db


def labels(persona: Persona, path: str = "/") -> dict[str, bool]:
    request = RequestFactory().get(path)
    request.user = create_user(persona)
    return {
        entry.label: current for group in navigation(request) for entry, _, current in (*group.links, *group.folded)
    }


def test_members_are_not_shown_the_way_to_the_admin() -> None:
    assert "Admin" not in labels(MEMBER)
    assert "Admin" in labels(ADMIN)


def test_exactly_the_open_page_is_marked() -> None:
    for path, label in (("/", "Home"), ("/insights/ai/", "AI"), ("/insights/ai/charts/spend/", "AI")):
        assert [name for name, current in labels(ADMIN, path).items() if current] == [label]


@pytest.mark.parametrize("persona", [ADMIN, EXECUTIVE, MANAGER, MEMBER], ids=lambda persona: persona.name)
def test_roles_have_at_most_twelve_entries_open(persona: Persona) -> None:
    request = RequestFactory().get("/insights/ai/")
    request.user = create_user(persona)
    groups = navigation(request)
    is_open = [entry.url_name for group in groups for entry, _, _ in group.links]
    assert {"home", "inbox", "ai", "delivery", "objectives"} <= {*is_open}
    assert {"admin": "identities", "executive": "qbrs", "manager": "reviews"}.get(persona.name, "tickets") in is_open
    assert len(is_open) <= MOST_OPEN
    assert not any(group.is_current_folded for group in groups)
    assert sum(group.folded_title != "" for group in groups) == sum(bool(group.folded) for group in groups)


def test_roles_open_entries_that_exist() -> None:
    known = {entry.url_name for entry in ENTRIES}
    for role, names in OPEN_FOR.items():
        assert len(names) <= MOST_OPEN, role
        assert {*names} - known <= {"dashboards"}, role


def test_the_fold_of_the_current_page_is_open(sign_in: Callable[[Persona], Client]) -> None:
    page = sign_in(MEMBER).get(reverse("attribution")).content.decode()
    folds = re.findall(r'<details data-fold="(\w+)"( open)?>', page)
    assert [title for title, is_open in folds if is_open] == ["insights"]


def test_main_pages_link_to_the_docs(sign_in: Callable[[Persona], Client]) -> None:
    missing = [entry.url_name for entry in (*ENTRIES, *MORE_PAGES) if entry.url_name not in DOCS]
    assert set(missing) <= {"admin:index", "docs"}
    assert {*DOCS.values(), RECORDS_DOC} - {"dashboards"} <= doc_pages().keys()
    client = sign_in(MEMBER)
    for name, doc in (("ai", "ai-impact"), ("tickets", "action-plans"), ("connect_agent", "connecting")):
        page = client.get(reverse(name)).content.decode()
        assert f'href="{reverse("doc", args=[doc])}"' in page, name


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
