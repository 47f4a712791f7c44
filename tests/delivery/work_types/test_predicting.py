"""Predicted work types: what is learned from labels, when it is used, and what becomes of a correction."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from django.db import transaction

from core.write_errors import FieldError, MayNotWriteError
from insights.pages import work_types as page
from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import WorkItemDraft
from integrations.delivery.work_types import learning, predicting
from integrations.delivery.work_types.learning import ClassAccuracy, accuracy, trained
from integrations.delivery.work_types.predicting import correct, predict_work_types
from integrations.enums import ResourceKind
from integrations.intake.forget_connection import forget_records
from integrations.intake.places import store_resource
from integrations.intake.store_drafts import store_drafts
from integrations.models import Connection, PredictedWorkType, ValueMapping, WorkItem, WorkTypeModel
from orgtree.models import Organisation
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MEMBER, signed_in
from tests.programs.tickets import as_
from tests.teams import create_teams

WORDS = {
    "bug": ("crash", "fails", "wrong", "error", "broken", "timeout", "regression", "missing", "freeze", "leak"),
    "feature": ("add", "allow", "support", "new", "offer", "enable", "introduce", "let", "export", "choose"),
    "documentation": ("guide", "readme", "explain", "tutorial", "document", "example", "manual", "faq", "text", "page"),
}
THINGS = (
    "checkout",
    "cart",
    "invoice",
    "login",
    "search",
    "report",
    "refund",
    "basket",
    "mail",
    "price",
    "stock",
    "tax",
)
BUG = "bug"


def corpus(number: int, seed: int) -> tuple[list[str], list[str]]:
    """Titles of one telling word among three of anything, so that more titles teach more words."""
    draw = random.Random(seed)
    work_types = [draw.choice([*WORDS]) for _ in range(number)]
    titles = []
    for work_type in work_types:
        words = [draw.choice(WORDS[work_type]), *draw.choices(THINGS, k=3)]
        draw.shuffle(words)
        titles.append(" ".join(words))
    return titles, work_types


def right(titles: Sequence[str], work_types: Sequence[str], *, learned: int) -> float:
    """The share of 600 unseen titles that a model of the first labels names right."""
    unseen, truth = corpus(600, seed=99)
    found = trained(titles[:learned], work_types[:learned])(unseen)
    return sum(one.work_type == of for one, of in zip(found, truth, strict=True)) / len(truth)


def test_twenty_labels_raise_held_out_accuracy() -> None:
    gains = []
    for seed in range(8):
        titles, work_types = corpus(60, seed)
        gains.append(right(titles, work_types, learned=60) - right(titles, work_types, learned=40))
    assert sum(gains) / len(gains) > 0.03, gains
    assert min(gains) > -0.02, gains


def test_accuracy_is_that_of_labels_which_the_model_has_not_seen() -> None:
    titles, work_types = corpus(300, seed=1)
    told = accuracy(titles, work_types)
    assert told.right == pytest.approx(right(titles, work_types, learned=240), abs=0.06)
    assert all(one.is_used for one in told.classes)
    assert sum(one.labels for one in told.classes) == 300


def test_labels_that_say_nothing_are_below_the_bar() -> None:
    titles, work_types = corpus(300, seed=2)
    random.Random(3).shuffle(work_types)
    assert not any(one.is_used for one in accuracy(titles, work_types).classes)


def test_titles_that_repeat_are_held_out_together() -> None:
    """Three hundred times the same two titles teach nothing about a third."""
    told = accuracy(["Nightly build"] * 150 + ["Weekly report"] * 150, ["bug"] * 150 + ["feature"] * 150)
    assert told.right == 0.0


@pytest.mark.parametrize(
    ("predicted", "right_of_them", "is_used"), [(20, 16, True), (20, 15, False), (19, 19, False), (0, 0, False)]
)
def test_a_work_type_is_used_from_the_bar_on(predicted: int, right_of_them: int, is_used: bool) -> None:
    assert ClassAccuracy(BUG, labels=50, predicted=predicted, right=right_of_them).is_used is is_used


@pytest.fixture
def tracker() -> Connection:
    create_teams()
    connection = Connection.objects.create(provider="jira", name="Jira")
    store_resource(connection, ResourceDraft(ResourceKind.PROJECT, "P1", "Shop"))
    titles, work_types = corpus(240, seed=4)
    told = {"bug": "Bug", "feature": "Story", "documentation": "Docs"}
    drafts = [item(f"A-{n}", title, told[of]) for n, (title, of) in enumerate(zip(titles, work_types, strict=True))]
    drafts += [item("B-1", "crash of the cart and a login error", "Task"), item("B-2", "zzz", "Task")]
    store_drafts(connection, drafts)
    return connection


def item(key: str, title: str, native_type: str) -> WorkItemDraft:
    return WorkItemDraft(
        external_id=key,
        key=key,
        project="P1",
        title=title,
        native_type=native_type,
        native_status="To Do",
        created_at=datetime(2026, 11, 2, 9, tzinfo=UTC),
    )


def switch(*, on: bool) -> None:
    organisation = Organisation.current()
    organisation.predicts_work_types = on
    organisation.save(update_fields=["predicts_work_types"])


def type_of(key: str) -> str:
    return WorkItem.objects.get(key=key).work_type


@pytest.mark.django_db
def test_it_is_measured_at_once_and_used_where_an_admin_wants_it(tracker: Connection) -> None:
    predict_work_types()
    assert (type_of("B-1"), PredictedWorkType.objects.count()) == ("other", 0)
    assert WorkTypeModel.objects.get().labels == 240
    switch(on=True)
    predict_work_types()
    assert type_of("B-1") == BUG
    assert type_of("B-2") == "other", "nothing is known of these words"
    assert type_of("A-1") != "other", "rules come first"
    stored = PredictedWorkType.objects.get()
    assert (stored.work_type, stored.model_id) == (BUG, WorkTypeModel.objects.get().pk)
    assert (stored.probability or 0.0) >= learning.SURE
    switch(on=False)
    predict_work_types()
    assert (type_of("B-1"), PredictedWorkType.objects.count()) == ("other", 0)


@pytest.mark.django_db
def test_a_correction_holds_is_learned_and_stays(tracker: Connection) -> None:
    switch(on=True)
    predict_work_types()
    wrong = WorkItem.objects.get(key="B-1")
    client = signed_in(EXECUTIVE)
    shown = client.get(f"/insights/work-items/{wrong.pk}/").content.decode()
    assert "bug, predicted" in shown.lower()
    assert client.get("/insights/context/work-types/").content.decode().count("crash of the cart") == 1
    assert client.post(f"/insights/context/work-types/{wrong.pk}/", {"work_type": "feature"}).status_code == 302
    assert type_of("B-1") == "feature"
    assert "predicted" not in client.get(f"/insights/work-items/{wrong.pk}/").content.decode().lower()
    predict_work_types()
    assert type_of("B-1") == "feature"
    assert [one.labels for one in WorkTypeModel.objects.order_by("pk")] == [240, 241]
    switch(on=False)
    predict_work_types()
    assert type_of("B-1") == "feature"
    store_drafts(tracker, [item("B-1", "crash of the cart and a login error", "Bug")])
    assert type_of("B-1") == BUG, "a label of the tracker comes before what somebody said"


@pytest.mark.django_db
def test_few_may_correct_and_only_to_what_there_is(tracker: Connection) -> None:
    one = WorkItem.objects.get(key="B-1")
    for persona in (MEMBER, AUDITOR):
        with pytest.raises(MayNotWriteError):
            correct(as_(persona), one, BUG)
    with pytest.raises(FieldError):
        correct(as_(EXECUTIVE), one, "chore")
    answer = signed_in(EXECUTIVE).post(
        f"/api/v1/work-types/{one.pk}/", {"work_type": "tech_debt"}, content_type="application/json"
    )
    assert answer.json() == {"id": one.pk, "key": "B-1", "work_type": "tech_debt"}
    measured = signed_in(ADMIN).get("/api/v1/work-types/").json()
    assert (measured["is_on"], measured["version"]) == (False, None)


@pytest.mark.django_db
def test_a_label_of_the_tracker_is_corrected_there(tracker: Connection) -> None:
    labelled = WorkItem.objects.get(key="A-1")
    before = labelled.work_type
    client, correction = signed_in(EXECUTIVE), {"work_type": "tech_debt"}
    refusal = client.post(f"/api/v1/work-types/{labelled.pk}/", correction, content_type="application/json")
    assert refusal.status_code == 400
    assert "A-1 has a work type in its tracker" in refusal.content.decode()
    assert client.post(f"/insights/context/work-types/{labelled.pk}/", correction).status_code == 302
    assert "A-1 has a work type in its tracker" in client.get("/insights/context/work-types/").content.decode()
    assert (type_of("A-1"), PredictedWorkType.objects.count()) == (before, 0)
    ValueMapping.objects.create(
        connection=tracker, subject=ValueMapping.Subject.ITEM_TYPE, word=labelled.native_type, means=""
    )
    assert client.post(f"/insights/context/work-types/{labelled.pk}/", correction).status_code == 302
    assert type_of("A-1") == "tech_debt", "nothing says its work type any more"


@pytest.mark.django_db
def test_without_the_requirement_the_page_says_so(tracker: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    switch(on=True)
    predict_work_types()
    for module in (predicting, page):
        monkeypatch.setattr(module, "is_installed", lambda: False)
    predict_work_types()
    assert type_of("B-1") == "other"
    assert "It needs scikit-learn" in signed_in(ADMIN).get("/insights/context/work-types/").content.decode()


@pytest.mark.django_db
def test_the_same_labels_are_no_new_version(tracker: Connection) -> None:
    predict_work_types()
    predict_work_types()
    assert WorkTypeModel.objects.count() == 1
    store_drafts(tracker, [item("A-1", "another title of a crash", "Bug")])
    predict_work_types()
    assert WorkTypeModel.objects.count() == 2


@pytest.mark.django_db
def test_predictions_go_with_their_connection(tracker: Connection) -> None:
    switch(on=True)
    predict_work_types()
    with transaction.atomic():
        forget_records(tracker)
    assert (WorkItem.objects.count(), PredictedWorkType.objects.count()) == (0, 0)
