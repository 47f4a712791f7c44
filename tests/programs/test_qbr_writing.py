"""Drafts of business reviews: who writes them, and what they take."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine

from core.write_errors import ConflictError, FieldError, MayNotWriteError
from programs.models import Qbr, QbrPeriod
from programs.qbr.services.sections import available_sections
from programs.qbr.services.writing import QbrExistsError, arrange_sections, discard_qbr, write_section
from tests.org import Org
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, Persona
from tests.programs.qbrs import frozen, read, review, say, signed
from tests.programs.test_closing_quarters import in_september
from tests.programs.tickets import as_
from tests.teams import create_teams

__all__ = ["in_september"]  # a fixture


@pytest.fixture(autouse=True)
def _teams(db: None) -> None:
    create_teams()


def test_a_review_covers_the_whole_fiscal_quarter_or_month_of_a_day() -> None:
    quarter, month = review(day=date(2026, 8, 17)), review(day=date(2026, 8, 17), period=QbrPeriod.MONTH)
    assert (quarter.start, quarter.end, quarter.period_name) == (date(2026, 7, 1), date(2026, 10, 1), "Q3 2026")
    assert (month.start, month.end, month.period_name) == (date(2026, 8, 1), date(2026, 9, 1), "August 2026")
    with pytest.raises(QbrExistsError) as exists:
        review(day=date(2026, 7, 1))
    assert exists.value.qbr == quarter
    with pytest.raises(FieldError, match="has not started"):
        review(day=date(2026, 10, 1))
    with pytest.raises(FieldError, match="Days lie between"):
        review(day=date.max)


@pytest.mark.parametrize(
    ("persona", "unit", "may"),
    [
        (EXECUTIVE, None, True),
        (ADMIN, None, True),
        (MANAGER, "platform", True),
        (MANAGER, "search", False),
        (MANAGER, None, False),
        (MEMBER, "platform", False),
        (AUDITOR, "platform", False),
    ],
)
def test_managers_create_reviews_of_their_units_and_leaders_all(persona: Persona, unit: str | None, may: bool) -> None:
    if may:
        assert review(persona, unit=unit).sections.count() == len(available_sections(QbrPeriod.QUARTER))
        return
    with pytest.raises((MayNotWriteError, FieldError)):  # or they may not know of the unit
        review(persona, unit=unit)


def test_who_saves_second_is_shown_the_other_text_and_nothing_is_lost() -> None:
    qbr = review(unit="platform")
    faster = {"headline": "Faster", "commentary": "By the manager"}
    write_section(as_(MANAGER), qbr, "dora", faster, of_version=1)
    with pytest.raises(ConflictError) as conflict:
        write_section(as_(EXECUTIVE), qbr, "dora", {"headline": "Slower"}, of_version=1)
    assert conflict.value.stored.commentary == "By the manager"
    same = write_section(as_(EXECUTIVE), qbr, "dora", faster, of_version=1)
    assert same.version == 2, "the same text again is no conflict, and no change"
    write_section(as_(EXECUTIVE), qbr, "risks", {"commentary": "Beside it"}, of_version=1)
    assert [section.edited_by for section in qbr.sections.filter(version=2)] == [
        as_(MANAGER).viewer,
        as_(EXECUTIVE).viewer,
    ]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"headline": "x" * 121}, "headline"),
        ({"commentary": "x" * 20_001}, "commentary"),
        ({"commentary": "a\x00b"}, "commentary"),
        ({"metrics": ["no.such.metric"]}, "metrics"),
        ({"metrics": ["ai.active_share_by_agent"]}, "metrics"),
        ({"metrics": ["pr.size", "ci.duration", "wip.count", "wip.age", "bug.ratio"]}, "metrics"),
    ],
)
def test_what_cannot_be_stored_names_its_field(given: dict[str, Any], field: str) -> None:
    qbr = review()
    with pytest.raises(FieldError) as problem:
        write_section(as_(EXECUTIVE), qbr, "dora", given, of_version=1)
    assert problem.value.field == field
    assert qbr.sections.get(key="dora").version == 1


def test_sections_are_reordered_and_left_out(org: Org) -> None:
    qbr = review()
    arrange_sections(as_(EXECUTIVE), qbr, ["asks", "dora"], {"asks", "dora", "risks"}, of_version=1)
    assert [section.key for section in read(qbr).sections] == ["asks", "dora", "risks"]
    with pytest.raises(ConflictError):
        arrange_sections(as_(EXECUTIVE), qbr, ["dora"], {"dora"}, of_version=1)
    for order, included, field in ((["dora"], [], "included"), (["nothing"], ["dora"], "order")):
        with pytest.raises(FieldError) as problem:
            arrange_sections(as_(EXECUTIVE), qbr, order, included, of_version=2)
        assert problem.value.field == field


def test_a_section_shows_further_metrics(org: Org) -> None:
    qbr = review()
    write_section(as_(EXECUTIVE), qbr, "quality", {"metrics": ["pr.size", "pr.size"]}, of_version=1)
    (quality,) = (section for section in read(qbr).sections if section.key == "quality")
    assert quality.figures[-1] == "pr.size"


def test_a_frozen_review_takes_no_more_texts(org: Org) -> None:
    qbr = review()
    frozen(qbr)
    for refused in (
        lambda: say(qbr, "dora", "Later"),
        lambda: arrange_sections(as_(EXECUTIVE), qbr, [], {"dora"}, of_version=1),
        lambda: discard_qbr(as_(EXECUTIVE), qbr),
    ):
        with pytest.raises(FieldError, match="frozen"):
            refused()


def test_a_draft_can_be_discarded() -> None:
    qbr = review(unit="platform")
    with pytest.raises(MayNotWriteError):
        discard_qbr(as_(MEMBER), qbr)
    discard_qbr(as_(MANAGER), qbr)
    assert not Qbr.objects.exists()


def test_a_member_sees_what_is_signed_off_of_their_unit_and_nothing_else(org: Org) -> None:
    seen = Qbr.objects.within(as_(MEMBER).visibility)
    whole, platform, search = (signed(review(unit=unit)) for unit in (None, "platform", "search"))
    draft = review(unit="platform", day=date(2026, 4, 1))
    assert list(seen) == [platform]
    frozen(draft)
    assert list(Qbr.objects.within(as_(MEMBER).visibility)) == [platform]
    assert set(Qbr.objects.within(as_(MANAGER).visibility)) == {platform, draft}
    assert set(Qbr.objects.within(as_(EXECUTIVE).visibility)) == {whole, platform, search, draft}
    assert set(Qbr.objects.within(as_(AUDITOR).visibility)) == set()


def test_the_review_of_a_month_shows_the_objectives_of_its_quarter(org: Org) -> None:
    from tests.programs.objectives import objective

    objective(title="Of this quarter")
    with time_machine.travel(datetime(2026, 9, 30, 12, tzinfo=UTC), tick=False):
        month = review(unit="platform", period=QbrPeriod.MONTH)
        assert [one.title for one in read(month).objectives] == ["Of this quarter"]
