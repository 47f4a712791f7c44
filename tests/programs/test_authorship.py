"""The history of the program's rows says who changed them."""

from datetime import date

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from core.authorship import changes_by
from programs.models import FrozenDocument, Objective, Quarter
from programs.quarters.fiscal_quarters import quarter_at
from tests.personas import ADMIN, MANAGER, create_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def quarter() -> Quarter:
    return quarter_at(date(2026, 8, 31))


def titles_by(objective: Objective) -> list[tuple[str, int | None]]:
    events = objective.events.order_by("pgh_id").select_related("pgh_context")  # type: ignore[attr-defined]
    return [(event.title, event.pgh_context.metadata["user"] if event.pgh_context else None) for event in events]


def test_every_change_names_its_account(quarter: Quarter) -> None:
    manager, admin = create_user(MANAGER), create_user(ADMIN)
    with changes_by(manager):
        objective = Objective.objects.create(quarter=quarter, title="Ship faster")
    with changes_by(admin), changes_by(manager):
        Objective.objects.update(title="Ship sooner")  # bulk changes are seen as well
    Objective.objects.update(title="Ship every day")
    assert titles_by(objective) == [
        ("Ship faster", manager.pk),
        ("Ship sooner", admin.pk),
        ("Ship every day", None),
    ]


def test_a_change_that_is_taken_back_tells_nothing_and_names_nobody_later(quarter: Quarter) -> None:
    with pytest.raises(IntegrityError), changes_by(create_user(MANAGER)):
        Objective.objects.create(quarter=quarter, title="")
    objective = Objective.objects.create(quarter=quarter, title="Ship faster")
    assert titles_by(objective) == [("Ship faster", None)]


def test_history_and_frozen_documents_stay_as_they_are(quarter: Quarter) -> None:
    objective = Objective.objects.create(quarter=quarter, title="Ship faster")
    document = FrozenDocument.objects.create(kind="quarter", schema_version=1, body="{}", sha256="0" * 64)
    for refused in (
        lambda: objective.events.update(title="Something else"),  # type: ignore[attr-defined]
        lambda: objective.events.all().delete(),  # type: ignore[attr-defined]
        lambda: FrozenDocument.objects.update(body="[]"),
        document.delete,
    ):
        with pytest.raises(ProgrammingError, match="pgtrigger"), transaction.atomic():
            refused()
