"""Notes on the page of a closed quarter about key results that have another value today."""

from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime

import pytest

from orgtree.models import IndividualPolicy, Organisation, Unit
from programs.closing.services.frozen import read_frozen
from tests.org import Org
from tests.pages.delivering import merged
from tests.personas import EXECUTIVE, Persona, signed_in
from tests.programs.objectives import by_hand, objective, pickup
from tests.programs.test_closing_quarters import PLATFORM, close, delivered, in_september
from tests.programs.tickets import as_

__all__ = ["delivered", "in_september"]  # fixtures


def restated_of(persona: Persona) -> list[str]:
    """The lines of the closed quarter's page that say what a key result is today."""
    page = html.unescape(signed_in(persona).get("/programs/quarters/2026-07-01/").content.decode())
    return re.findall(r"<small>Restated: (.*?)</small>", page)


def test_a_closed_quarter_says_what_its_key_results_are_today(delivered: Org) -> None:
    merges = pickup(title="Larger", metric="pr.throughput", target_kind="absolute", target=5.0, baseline=2.0)
    objective(key_results=(merges, by_hand()))
    document = close(forced_because="It is enough")
    assert restated_of(EXECUTIVE) == []
    delivered.push("pull-requests", merged(70, date(2026, 7, 9), author="ada", waits=3))
    assert restated_of(EXECUTIVE) == ["7 today (sample 7, was 6)"]
    document.refresh_from_db()
    assert read_frozen(document, as_(EXECUTIVE)).objectives[0].key_results[0].value == 6
    Unit.objects.filter(slug="platform").update(slug="renamed")
    assert restated_of(EXECUTIVE) == [], "there is no such unit any more"


@pytest.mark.parametrize(("newcomers", "text"), [(1, "hidden: the two values would reveal few people"), (5, "11 ")])
def test_a_restated_key_result_tells_of_no_few_people(delivered: Org, newcomers: int, text: str) -> None:
    """One late laptop is what it was then, less what it is now."""
    Organisation.objects.update(
        individual_policy=IndividualPolicy.PSEUDONYMS, protected_since=datetime(2026, 1, 1, tzinfo=UTC)
    )
    for name in PLATFORM:
        delivered.session(by=name, on=date(2026, 7, 8), tokens=100)
    delivered.fold()
    used = pickup(title="Used", metric="ai.active_developers", target_kind="absolute", target=9.0, baseline=2.0)
    objective(EXECUTIVE, unit="engineering", key_results=(used,))
    close(forced_because="It is enough")
    for number in range(newcomers):
        delivered.people({"full_name": f"Late {number}", "email": f"late{number}@example.com"}, on="2026-01-01")
        delivered.join(f"late{number}", "platform", on="2026-01-01")
        delivered.session(by=f"late{number}", on=date(2026, 7, 9), tokens=100)
    delivered.fold()
    [line] = restated_of(EXECUTIVE)
    assert line.startswith(text)
