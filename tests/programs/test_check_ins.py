"""Check-ins: what somebody says of an objective, and what cannot be said so."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from core.write_errors import FieldError, MayNotWriteError
from programs.models import CheckIn
from programs.objectives.services.check_ins import check_in
from tests.org import Org
from tests.personas import MANAGER, MEMBER
from tests.programs.objectives import objective
from tests.programs.tickets import as_
from tests.teams import create_teams


@pytest.fixture
def teams(org: Org) -> Org:
    create_teams()
    return org


def test_check_ins_say_what_is_thought_and_what_stands(teams: Org) -> None:
    written = objective()
    (key_result,) = written.key_results.all()
    check_ins = check_in(
        as_(MANAGER), written, confidence="high", note=" Going well ", key_result=key_result.pk, value=3.5
    )
    assert (check_ins.confidence, check_ins.note, check_ins.value) == ("high", "Going well", 3.5)
    key_result.refresh_from_db()
    assert (key_result.hand_value, key_result.measure.value) == (3.5, 3.5)
    assert key_result.measure.progress == pytest.approx(0.5), "from 3 to 4"
    for given, field in (
        ({"confidence": "sure"}, "confidence"),
        ({"confidence": "low", "value": 3.0}, "key_result"),
        ({"confidence": "low", "key_result": 999, "value": 3.0}, "key_result"),
        ({"confidence": "low", "key_result": key_result.pk, "value": float("inf")}, "value"),
        ({"confidence": "low", "note": "a\x00"}, "note"),
    ):
        with pytest.raises(FieldError) as refused:
            check_in(as_(MANAGER), written, **given)
        assert refused.value.field == field
    with pytest.raises(MayNotWriteError):
        check_in(as_(MEMBER), written, confidence="low")
    assert CheckIn.objects.count() == 1
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        CheckIn.objects.update(note="Never said")


def test_a_draft_takes_no_check_in(teams: Org) -> None:
    with pytest.raises(FieldError, match="publish it first"):
        check_in(as_(MANAGER), objective(publish=False), confidence="low")
