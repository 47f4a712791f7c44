"""The page of each provider is in step with the code: its settings, and what of its records is supported."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from integrations.connectors.base import Connector
from integrations.connectors.deployment_rules import SETTING
from integrations.connectors.registered import connectors
from integrations.enums import Kind
from tests.servers import PROJECT_DIR

# Benches and tests register connectors of their own in the same process.
OURS = [slug for slug, connector in connectors().items() if connector.__module__.startswith("integrations.")]


def table(slug: str, heading: str) -> Iterator[list[str]]:
    """The cells of each row of the first table whose first column has this heading."""
    page = (PROJECT_DIR / "docs" / "connectors" / f"{slug}.md").read_text()
    found = re.search(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert found, f"{slug}.md has no table of {heading}"
    for row in found[1].splitlines():
        yield [cell.strip() for cell in row.strip("|").split(" |")]


def supported_by(connector: type[Connector]) -> set[str]:
    """The streams that a connector reads and writes, in the table's terms; deployments may come with another stream."""
    streams = {kind.words for kinds in connector.kinds.values() for kind in kinds}
    if any(field.name == SETTING for field in connector.fields):
        streams.add(Kind.DEPLOYMENT.words)
    if connector.arrival is not Connector.arrival:
        streams.add("webhooks")
    if connector.write_mirror is not Connector.write_mirror:
        streams.add("mirrors of action tickets")
    return streams


@pytest.mark.parametrize("slug", OURS)
def test_the_support_table_of_a_provider_says_what_its_connector_does(slug: str) -> None:
    rows = list(table(slug, "stream"))
    supported = {name for names, *_, how in rows if not how.startswith("no") for name in names.split(", ")}
    assert supported == supported_by(connectors()[slug])


@pytest.mark.parametrize("slug", OURS)
def test_a_provider_s_page_lists_its_settings(slug: str) -> None:
    listed = {name for names, *_ in table(slug, "setting") for name in re.findall("`([a-z_]+)`", names)}
    assert listed == {field.name for field in connectors()[slug].fields}
