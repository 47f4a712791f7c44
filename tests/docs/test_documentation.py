"""The product serves its own documentation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client

from config.documentation import doc_pages
from core.markdown import page_as_html
from tests.personas import MEMBER, Persona
from tests.servers import PROJECT_DIR

LINK = re.compile(r'href="(/docs/[^"#]*)(?:#([^"]*))?"')


@pytest.fixture
def client(sign_in: Callable[[Persona], Client]) -> Client:
    return sign_in(MEMBER)


def test_every_page_is_served(client: Client) -> None:
    pages = {path.relative_to(PROJECT_DIR / "docs").with_suffix("").as_posix() for path in files()}
    assert set(doc_pages()) == pages
    assert len(pages) > 50
    broken = [name for name in pages if client.get(f"/docs/{name}/").status_code != 200]
    assert broken == []


def files() -> Iterator[Path]:
    yield from (PROJECT_DIR / "docs").rglob("*.md")


def test_links_lead_to_pages_and_headings_that_are_there(client: Client) -> None:
    shown = {f"/docs/{name}/": client.get(f"/docs/{name}/").content.decode() for name in doc_pages()}
    lost = [
        f"{name} → {path}#{anchor}"
        for name, page in shown.items()
        for path, anchor in LINK.findall(page)
        if path != "/docs/" and (path not in shown or (anchor and f'id="{anchor}"' not in shown[path]))
    ]
    assert lost == []


@pytest.mark.parametrize("name", ["nothing", "../README", "..%2fREADME", "access.md", "%2e%2e/CHANGELOG", "access/x"])
def test_nothing_but_pages_is_served(client: Client, name: str) -> None:
    assert client.get(f"/docs/{name}/").status_code == 404


def test_the_list_names_the_pages(client: Client) -> None:
    page = client.get("/docs/").content.decode()
    assert 'href="/docs/access/">Who may see what</a>' in page
    assert 'href="/docs/connectors/github/"' in page
    assert "/docs/decisions/" not in page


def test_a_page_has_anchors_tables_and_links() -> None:
    text = "## Who may `see`, and why?\n\n| a | b |\n|---|---|\n| [c](d.md) | e |\n\n<script>x</script>"
    html = page_as_html(text, lambda target: f"/docs/{target}")
    assert '<h2 id="who-may-see-and-why">' in html
    assert 'href="/docs/d.md"' in html
    assert 'tabindex="0" role="group" aria-label="Table"><table' in html
    assert "<script" not in html
