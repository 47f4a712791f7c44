"""A family of facts is named wherever those of all families are."""

from __future__ import annotations

from insights.engine.connected import SOURCES
from integrations.delivery import changed_days
from integrations.enums import Kind
from integrations.intake import renamed
from integrations.intake.tables import TABLES
from integrations.models import FAMILY_OF_KIND, FactFamily

ANNOUNCED_ELSEWHERE = {Kind.WORK_ITEM, Kind.SPRINT, Kind.PIPELINE_RUN, Kind.COMMIT}


def test_every_family_has_a_source() -> None:
    """Otherwise the page of a metric on its facts fails.  Values that people enter have none."""
    assert {*SOURCES} == {*FactFamily} - {FactFamily.HAND_KEPT}


def test_days_of_every_kind_are_announced() -> None:
    """Otherwise a changed record never reaches the columns."""
    assert {*FAMILY_OF_KIND} == {*changed_days._MOMENTS} | ANNOUNCED_ELSEWHERE


def test_a_renamed_repository_announces_the_days_of_every_kind() -> None:
    in_repositories = [
        TABLES[kind].name for kind in FAMILY_OF_KIND if kind in TABLES and TABLES[kind].place == "repository"
    ]
    assert len(in_repositories) > 5
    assert [table for table in in_repositories if f"FROM {table}" not in renamed._FIRST_DAYS] == []
