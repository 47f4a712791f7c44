"""The page of each provider names what the code has: its settings, and every kind of record that it reads."""

from __future__ import annotations

import re

import pytest

from integrations.connectors.registered import connectors
from tests.servers import PROJECT_DIR


def page_of(slug: str) -> str:
    return (PROJECT_DIR / "docs" / "connectors" / f"{slug}.md").read_text()


# Benches and tests register connectors of their own in the same process.
OURS = [slug for slug, connector in connectors().items() if connector.__module__.startswith("integrations.")]


@pytest.mark.parametrize("slug", OURS)
def test_a_provider_has_a_page_with_its_settings_and_streams(slug: str) -> None:
    page, connector = page_of(slug), connectors()[slug]
    missing = [field.name for field in connector.fields if f"`{field.name}`" not in page]
    streams = {kind.words for kinds in connector.kinds.values() for kind in kinds}
    missing += [words for words in sorted(streams) if not re.search(rf"^\| {words.rstrip('s')}", page, re.MULTILINE)]
    assert [name for name in missing if name not in {"repositories"}] == []
