"""Writing objectives: who may, what is refused, and that nothing anybody wrote is lost."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from core.write_errors import ConflictError, FieldError, MayNotWriteError
from insights.query.windows import local_today
from orgtree.models import Employment, Person, Unit, UnitPlace
from programs.key_results.services.fields import as_written
from programs.models import CheckIn, KeyResult, Objective, ObjectiveStatus
from programs.objectives.services.check_ins import check_in
from programs.objectives.services.writing import (
    add_objective,
    change_objective,
    drop_objective,
    may_change,
    override_status,
    publish_objective,
)
from programs.quarters.fiscal_quarters import current_quarter, following, preceding
from tests.org import Org
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.programs.objectives import by_hand, draft, objective, rows_of, stored
from tests.programs.tickets import as_
from tests.teams import create_teams


@pytest.fixture
def teams(org: Org) -> Org:
    create_teams()
    return org


@pytest.mark.parametrize(
    ("persona", "unit", "may"),
    [
        (MANAGER, "platform", True),
        (MANAGER, "search", False),
        (MANAGER, None, False),
        (EXECUTIVE, "search", True),
        (EXECUTIVE, None, True),
        (ADMIN, None, True),
        (MEMBER, "platform", False),
        (AUDITOR, "platform", False),
    ],
)
def test_who_may_write_for_whom(teams: Org, persona: Persona, unit: str | None, may: bool) -> None:
    if may:
        assert add_objective(as_(persona), draft(unit=unit)).pk
        return
    with pytest.raises((MayNotWriteError, FieldError)):
        add_objective(as_(persona), draft(unit=unit))
    assert not Objective.objects.exists()


def test_an_owner_changes_theirs_and_a_colleague_does_not(teams: Org) -> None:
    ada = Person.objects.get(email="ada@example.com")
    written = objective(owner=ada.email)
    changed = change_objective(
        as_(MEMBER),
        written,
        draft(owner=ada.email, title="Reviews begin the same day", key_results=rows_of(written)),
        of_version=1,
    )
    assert (changed.title, changed.version) == ("Reviews begin the same day", 2)
    assert may_change(as_(MEMBER).visibility, stored(written))
    for stranger in (OTHER_MEMBER, AUDITOR):
        assert not may_change(as_(stranger).visibility, stored(written))
        with pytest.raises(MayNotWriteError, match="its owner"):
            change_objective(as_(stranger), written, draft(), of_version=2)
    with pytest.raises(MayNotWriteError):  # an owner takes it to no unit that they do not lead
        change_objective(as_(MEMBER), written, draft(unit=None, owner=ada.email), of_version=2)


def test_drafts_are_seen_by_those_who_answer_for_the_unit(teams: Org) -> None:
    written = objective(publish=False)
    for persona, sees in ((MANAGER, True), (EXECUTIVE, True), (MEMBER, False), (OTHER_MEMBER, False)):
        assert Objective.objects.within(as_(persona).visibility).exists() is sees, persona.name
    publish_objective(as_(MANAGER), written)
    for persona, sees in ((MANAGER, True), (MEMBER, True), (OTHER_MEMBER, False)):
        assert Objective.objects.within(as_(persona).visibility).exists() is sees, persona.name


REFUSED: Sequence[tuple[dict[str, Any], str, str]] = [
    ({"title": "  "}, "title", "Enter what"),
    ({"title": "x" * 201}, "title", "At most 200"),
    ({"title": "a\x00b"}, "title", "NUL"),
    ({"description": "x" * 20_001}, "description", "At most 20,000"),
    ({"unit": "nowhere"}, "unit", "no unit"),
    ({"unit": "a\x00"}, "unit", "NUL"),
    ({"owner": "nobody@example.com"}, "owner", "Nobody"),
    ({"parent": 999}, "parent", "no such objective"),
    ({"template": "luck"}, "template", "no such template"),
    ({"key_results": ()}, "key_results", "needs a key result"),
    ({"key_results": (by_hand(target_kind="guardrail", target=3.0),)}, "key_results", "not a guardrail"),
    ({"key_results": (by_hand(),) * 6}, "key_results", "At most 5"),
    ({"key_results": (by_hand(id=77),)}, "key_results", "not of this objective"),
    ({"key_results": (by_hand(title=" "),)}, "key_results.0.title", "what is measured"),
    ({"key_results": (by_hand(better=""),)}, "key_results.0.better", "higher or lower"),
    ({"key_results": (by_hand(better="sideways"),)}, "key_results.0.better", "higher, lower"),
    ({"key_results": (by_hand(), by_hand(target=None))}, "key_results.1.target", "Enter the value to reach"),
    ({"key_results": (by_hand(target=float("nan")),)}, "key_results.0.target", "a number"),
    ({"key_results": (by_hand(target=2.5),)}, "key_results.0.target", "must lie above"),
    ({"key_results": (by_hand(target=3.0),)}, "key_results.0.target", "must lie above"),
    ({"key_results": (by_hand(better="lower", target=3.5),)}, "key_results.0.target", "must lie below"),
    ({"key_results": (by_hand(), by_hand(target_kind="guardrail"))}, "key_results.1.target", "worse"),
    ({"key_results": (by_hand(target_kind="relative"),)}, "key_results.0.change_percent", "by how many"),
    (
        {"key_results": (by_hand(target_kind="relative", change_percent=-5.0),)},
        "key_results.0.change_percent",
        "must lie above",
    ),
    (
        {"key_results": (by_hand(target_kind="relative", change_percent=5.0, baseline=0.0),)},
        "key_results.0.change_percent",
        "baseline is 0",
    ),
    (
        {"key_results": (by_hand(target_kind="relative", change_percent=5.0, baseline=None),)},
        "key_results.0.baseline",
        "needs a baseline",
    ),
    ({"key_results": (by_hand(metric="dora.luck"),)}, "key_results.0.metric", "no metric"),
    ({"key_results": (by_hand(metric="ai.committed_breakdown"),)}, "key_results.0.metric", "for each language"),
    ({"key_results": (by_hand(metric="pr.size"),)}, "key_results.0.better", "lower is better"),
    ({"key_results": (by_hand(metric="ai.sessions", better=""),)}, "key_results.0.better", "Neither"),
    (
        {"key_results": (by_hand(metric="pr.throughput", statistic="p90"),)},
        "key_results.0.statistic",
        "none to choose",
    ),
    ({"key_results": (by_hand(metric="pr.linked_rate", target=120.0),)}, "key_results.0.target", "0 and 100"),
]


def test_what_cannot_be_said_is_refused_at_its_field(teams: Org, subtests: pytest.Subtests) -> None:
    for fields, field, message in REFUSED:
        with subtests.test(fields=fields):
            with pytest.raises(FieldError, match=message) as refused:
                objective(**fields)
            assert refused.value.field == field
            assert not Objective.objects.exists()


def test_a_draft_may_be_unfinished_and_is_whole_when_it_is_published(teams: Org) -> None:
    written = objective(publish=False, key_results=())
    with pytest.raises(FieldError, match="needs a key result"):
        publish_objective(as_(MANAGER), written)
    changed = change_objective(as_(MANAGER), written, draft(publish=True), of_version=1)
    assert changed.published_at is not None
    with pytest.raises(FieldError, match="needs a key result"):  # what is published stays whole
        change_objective(as_(MANAGER), written, draft(key_results=(), publish=False), of_version=2)


def test_a_metric_without_data_is_a_target_to_reach_and_no_change_in_percent(teams: Org) -> None:
    """Nothing is connected: there is no baseline, and the reason is told."""
    lead_time = by_hand(metric="dora.lead_time", better="", baseline=None, unit_of_measure="")
    with pytest.raises(FieldError, match="needs a baseline") as refused:
        objective(key_results=(by_hand(**{**lead_time, "target_kind": "relative", "change_percent": -20.0}),))
    assert refused.value.field == "key_results.0.baseline"
    written = objective(key_results=(by_hand(**{**lead_time, "target": 86_400.0}),))
    (key_result,) = written.key_results.all()
    assert (key_result.baseline, key_result.better, key_result.unit_of_measure) == (None, "lower", "seconds")
    assert key_result.measure.value is None
    assert key_result.measure.reason.startswith("No deployment") or "No " in key_result.measure.reason
    assert key_result.measure.standing == ObjectiveStatus.UNKNOWN


def test_one_mandatory_objective_per_team_and_quarter(teams: Org) -> None:
    first = objective(is_mandatory=True)
    with pytest.raises(FieldError, match="Reviews no longer wait") as refused:
        objective(is_mandatory=True, title="Another")
    assert refused.value.field == "is_mandatory"
    with pytest.raises(FieldError, match="choose its unit"):
        objective(EXECUTIVE, unit=None, is_mandatory=True)
    assert objective(is_mandatory=True, quarter=following(current_quarter())).pk, "another quarter"
    assert objective(EXECUTIVE, is_mandatory=True, unit="search").pk, "another team"
    drop_objective(as_(MANAGER), first, "The rota does it already")
    assert objective(is_mandatory=True, title="Another").pk


def test_the_database_holds_the_mandatory_one_too(teams: Org) -> None:
    platform = Unit.objects.get(slug="platform")
    quarter = current_quarter()
    Objective.objects.create(quarter=quarter, unit=platform, title="One", is_mandatory=True)
    with pytest.raises(IntegrityError, match="one_mandatory"), transaction.atomic():
        Objective.objects.create(quarter=quarter, unit=platform, title="Two", is_mandatory=True)


def test_who_has_left_gets_no_objective_and_keeps_the_one_they_have(teams: Org) -> None:
    ada = Person.objects.get(email="ada@example.com")
    written = objective(owner=ada.email)
    Employment.objects.filter(person=ada).delete()
    Employment.objects.create(person=ada, during=DateRange(date(2025, 1, 1), local_today()))
    with pytest.raises(FieldError, match="has left"):
        objective(owner=ada.email)
    changed = change_objective(
        as_(MANAGER),
        written,
        draft(owner=ada.email, title="Still hers", key_results=rows_of(written)),
        of_version=1,
    )
    assert changed.owner == ada


def test_an_archived_unit_gets_no_objective_and_keeps_the_one_it_has(teams: Org) -> None:
    written = objective(EXECUTIVE)
    UnitPlace.objects.filter(unit=written.unit).update(during=DateRange(date(2025, 1, 1), local_today()))
    with pytest.raises(FieldError, match="no longer in any Org Tree"):
        objective(EXECUTIVE)
    new_draft = draft(title="Ends well", key_results=rows_of(written))
    assert change_objective(as_(EXECUTIVE), written, new_draft, of_version=1).title == "Ends well"


def test_objectives_serve_one_from_above_of_their_quarter(teams: Org) -> None:
    whole = objective(EXECUTIVE, unit=None, title="Of everybody")
    above = objective(EXECUTIVE, unit="engineering", title="Of engineering", parent=whole.pk)
    below = objective(EXECUTIVE, parent=above.pk)
    assert (below.parent, above.parent) == (above, whole)
    for fields, message in (
        ({"unit": "search", "parent": below.pk}, "does not stand above"),
        ({"unit": "platform", "parent": below.pk}, "does not stand above"),
        ({"unit": None, "parent": above.pk}, "at the top"),
        ({"parent": above.pk, "quarter": following(current_quarter())}, "of the same quarter"),
    ):
        with pytest.raises(FieldError, match=message) as refused:
            objective(EXECUTIVE, **fields)
        assert refused.value.field == "parent"


def test_a_reorganisation_makes_no_circle(teams: Org) -> None:
    """Platform came to stand above engineering, in the middle of the quarter."""
    above = objective(EXECUTIVE, unit="engineering", title="Of engineering")
    below = objective(EXECUTIVE, parent=above.pk)
    engineering, platform = Unit.objects.get(slug="engineering"), Unit.objects.get(slug="platform")
    from orgtree.trees.unit_placements import rebuild_unit_placements

    UnitPlace.objects.filter(unit=platform).update(parent=None)
    UnitPlace.objects.filter(unit=engineering).update(parent=platform)
    rebuild_unit_placements([platform.tree_id])
    new_draft = draft(unit="engineering", title="Of engineering", parent=below.pk, key_results=rows_of(above))
    with pytest.raises(FieldError, match="form a circle"):
        change_objective(as_(EXECUTIVE), above, new_draft, of_version=1)
    still = draft(parent=above.pk, title="As it was agreed", key_results=rows_of(below))
    assert change_objective(as_(EXECUTIVE), below, still, of_version=1).parent == above, "what was agreed stays"


def test_the_second_of_two_edits_is_refused_and_the_first_stays(teams: Org) -> None:
    written = objective()
    rows = rows_of(written)
    change_objective(as_(EXECUTIVE), written, draft(title="First", key_results=rows), of_version=1)
    with pytest.raises(ConflictError) as conflict:
        change_objective(as_(MANAGER), written, draft(title="Second", key_results=rows), of_version=1)
    assert conflict.value.stored.title == "First"
    assert Objective.objects.get().title == "First"
    again = change_objective(as_(MANAGER), written, draft(title="First", key_results=rows), of_version=1)
    assert again.version == 2, "who says the same is in no conflict, and changes nothing"


@pytest.mark.django_db(transaction=True)
def test_one_of_two_concurrent_edits_is_refused(org: Org) -> None:
    create_teams()
    written = objective()
    rows = rows_of(written)
    ready, outcomes = threading.Barrier(2), []

    def edit(persona: Persona, title: str) -> None:
        access = as_(persona)
        ready.wait()
        try:
            change_objective(access, written, draft(title=title, key_results=rows), of_version=1)
            outcomes.append(title)
        except ConflictError as conflict:
            outcomes.append(f"after {conflict.stored.title}")
        finally:
            connection.close()

    edits = [threading.Thread(target=edit, args=writer) for writer in ((EXECUTIVE, "first"), (MANAGER, "second"))]
    for thread in edits:
        thread.start()
    for thread in edits:
        thread.join()
    title = Objective.objects.get().title
    assert sorted(outcomes) == sorted([title, f"after {title}"])


@pytest.mark.django_db(transaction=True)
def test_of_two_mandatory_objectives_at_once_one_is_refused(org: Org) -> None:
    create_teams()
    current_quarter()
    ready, outcomes = threading.Barrier(2), []

    def write(title: str) -> None:
        access = as_(MANAGER)
        new_draft = draft(title=title, is_mandatory=True)
        ready.wait()
        try:
            add_objective(access, new_draft)
            outcomes.append("written")
        except FieldError as refused:
            outcomes.append(refused.field)
        finally:
            connection.close()

    as_(MANAGER)
    writers = [threading.Thread(target=write, args=(title,)) for title in ("One", "Two")]
    for thread in writers:
        thread.start()
    for writer in writers:
        writer.join()
    assert sorted(outcomes) == ["is_mandatory", "written"]
    assert Objective.objects.filter(is_mandatory=True).count() == 1


def test_key_results_keep_their_check_ins(teams: Org) -> None:
    written = objective(key_results=(by_hand(), by_hand(title="Trust")))
    first, second = written.key_results.all()
    check_in(as_(MANAGER), written, confidence="medium", key_result=first.pk, value=3.4)
    with pytest.raises(FieldError, match="has check-ins"):
        change_objective(as_(MANAGER), written, draft(key_results=(as_written(second),)), of_version=1)
    assert CheckIn.objects.count() == 1
    swapped = (as_written(second), as_written(first), by_hand(title="Third"))
    changed = change_objective(as_(MANAGER), written, draft(key_results=swapped), of_version=1)
    assert [result.title for result in changed.key_results.order_by("position")] == ["Trust", "Satisfaction", "Third"]
    assert KeyResult.objects.get(pk=first.pk).hand_value == 3.4
    fewer = change_objective(
        as_(MANAGER), written, draft(key_results=(as_written(KeyResult.objects.get(pk=first.pk)),)), of_version=2
    )
    assert [result.pk for result in fewer.key_results.all()] == [first.pk]


def test_an_override_needs_its_reason_and_is_taken_back(teams: Org) -> None:
    written = objective()
    with pytest.raises(FieldError, match="computed status differs") as refused:
        override_status(as_(MANAGER), written, "on_track", "  ")
    assert refused.value.field == "override_reason"
    with pytest.raises(FieldError):
        override_status(as_(MANAGER), written, "unknown", "Who knows")
    overridden = override_status(as_(MANAGER), written, "on_track", "The last deployment counts twice")
    assert (overridden.override, overridden.override_by) == ("on_track", as_(MANAGER).viewer)
    back = override_status(as_(MANAGER), written, "", "")
    assert (back.override, back.override_reason, back.override_by) == ("", "", None)


def test_what_is_given_up_says_why_and_stays_as_it_is(teams: Org) -> None:
    written = objective()
    with pytest.raises(FieldError, match="reason for dropping"):
        drop_objective(as_(MANAGER), written, "")
    dropped = drop_objective(as_(MANAGER), written, "We do something else")
    assert dropped.dropped_at is not None
    assert not may_change(as_(MANAGER).visibility, stored(written))
    with pytest.raises(FieldError, match="was dropped"):
        change_objective(as_(MANAGER), written, draft(), of_version=2)


def test_the_history_tells_whose_change_it_was(teams: Org) -> None:
    written = objective()
    override_status(as_(EXECUTIVE), written, "at_risk", "I heard otherwise")
    events = list(written.events.select_related("pgh_context").order_by("pgh_id"))  # type: ignore[attr-defined]
    assert [event.pgh_context.metadata["user"] for event in events] == [
        as_(MANAGER).viewer.pk,  # type: ignore[union-attr]
        as_(EXECUTIVE).viewer.pk,  # type: ignore[union-attr]
    ]
    assert events[1].override == "at_risk"


def test_a_day_before_the_quarter_is_not_its_own(teams: Org) -> None:
    assert current_quarter().start <= local_today() < current_quarter().end
    assert preceding(current_quarter()).end - timedelta(days=1) < current_quarter().start
