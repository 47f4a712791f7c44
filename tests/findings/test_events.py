"""Events explain what changes in their days: such weeks are no evidence, and readers are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from core.write_errors import MayNotWriteError
from insights.annotations.events import events_of
from insights.annotations.notes import notes_on
from insights.annotations.writing import AnnotationDraft, add_annotation
from insights.findings import checks
from insights.findings.checks import WEEKS
from insights.findings.night import look, store
from insights.models import Annotation, Finding
from insights.models.findings import FindingState
from insights.query.errors import QueryError
from insights.query.query import Scope, Window
from integrations.models import Owned, Ownership, Repository
from orgtree.access.access import access_of
from orgtree.models import Unit
from tests.findings.test_findings import MONDAY, PAGE, TODAY, weekly
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user, signed_in
from tests.teams import ALWAYS, Teams, create_teams

pytestmark = pytest.mark.django_db
WEEK = timedelta(weeks=1)
SLOW_WEEKS = 7
TRAINING = (MONDAY - SLOW_WEEKS * WEEK, MONDAY + 2 * WEEK)
PICKUP, HOUR = "pr.pickup_time", 3600.0
Plant = Callable[[str], None]


@pytest.fixture
def teams() -> Teams:
    return create_teams()


@pytest.fixture
def slow(teams: Teams, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reviews of Platform have waited three times as long for seven weeks."""

    def answers(_access: object, *, series: Sequence[Any], units: Sequence[Any]) -> Any:
        def answer(query: Any, unit: int | None) -> Any:
            is_slow = unit == teams.platform.pk and query.key == PICKUP
            values: list[float | None] = [
                (10 + (week * 7) % 5) * HOUR * (3 if is_slow and week >= WEEKS - SLOW_WEEKS else 1)
                for week in range(WEEKS)
            ]
            return SimpleNamespace(query=query, series=weekly(values if query.key == PICKUP else [None] * WEEKS))

        [of_units] = units
        return SimpleNamespace(
            series=[answer(query, None) for query in series],
            units=[{unit: [answer(query, unit) for query in series] for unit in of_units.units}],
        )

    monkeypatch.setattr(checks, "visible_together", answers)
    monkeypatch.setattr(
        checks, "UnitQueries", lambda queries, units, of_buckets: SimpleNamespace(queries=queries, units=units)
    )


def event(persona: Persona = EXECUTIVE, *, text: str = "Security training", **fields: Any) -> Annotation:
    start, end = fields.pop("days", TRAINING)
    return add_annotation(
        access_of(create_user(persona)), AnnotationDraft(text, start, end, **{"excuses": True, **fields})
    )


def found() -> list[tuple[str, int | None]]:
    return [(one.detector.key, one.unit) for one in look(TODAY).findings]


@pytest.mark.usefixtures("slow")
def test_a_change_in_the_days_of_an_event_is_no_finding(teams: Teams) -> None:
    change = [("pr.pickup_time.change", teams.platform.pk)]
    assert found() == change
    note = event(unit="platform", excuses=False)
    assert found() == change, "a note explains a chart, and excuses nothing"
    note.delete()
    event(unit="platform", about="ai")
    event(unit="search")
    assert found() == change, "an event about another family, and one of another team"
    event(unit="engineering", about="pr")
    assert found() == []


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("where", [{"unit": "platform"}, {"unit": "engineering"}, {}])
def test_an_event_excuses_its_unit_and_those_below(teams: Teams, where: dict[str, Any]) -> None:
    event(**where)
    assert found() == []


@pytest.mark.usefixtures("slow")
def test_a_change_that_outlasts_the_event_is_found(teams: Teams) -> None:
    event(unit="platform", days=(TRAINING[0], TRAINING[0] + WEEK))
    [one] = look(TODAY).findings
    assert one.since == TRAINING[0] + WEEK, "its first week is left out"
    assert one.sample == (SLOW_WEEKS - 1) * 6


@pytest.mark.usefixtures("slow")
def test_a_finding_that_an_event_explains_is_resolved_by_it(teams: Teams) -> None:
    store(look(TODAY), today=TODAY)
    event(unit="platform", days=(MONDAY - 30 * WEEK, MONDAY - 30 * WEEK + timedelta(days=2)), text="Holidays")
    store(look(TODAY), today=TODAY + timedelta(days=1))
    assert Finding.objects.get().state == FindingState.NEW
    page = signed_in(EXECUTIVE).get(PAGE).content.decode()
    assert "Weeks of “Holidays” (" in page
    event(MANAGER, unit="platform")
    store(look(TODAY), today=TODAY + timedelta(days=2))
    ended = Finding.objects.get()
    assert ended.state == FindingState.RESOLVED
    assert ended.reason.startswith("Explained by “Security training” (")


def test_who_was_where_on_the_days_of_an_event_decides(teams: Teams) -> None:
    event(unit="platform", days=(date(2024, 12, 1), date(2024, 12, 5)), text="Before the team")
    event(unit="platform", days=(date(2026, 9, 1), date(2026, 9, 5)), text="In it")
    of = events_of([teams.platform.pk, teams.search.pk], Window(date(2024, 1, 1), MONDAY))
    assert [one.text for one in of[teams.platform.pk]] == ["In it"]
    assert (of[teams.search.pk], of[None]) == ([], [])


@pytest.fixture
def owned(teams: Teams) -> Repository:
    repository = Repository.objects.create(name="shop")
    thing = Owned.objects.get(repository=repository)
    Ownership.objects.create(owned=thing, tree=teams.tree, unit=teams.platform, during=ALWAYS)
    return repository


@pytest.mark.usefixtures("slow", "owned")
def test_an_event_of_a_repository_is_named_and_excuses_nothing(teams: Teams) -> None:
    event(MANAGER, repository="shop", text="Migration")
    store(look(TODAY), today=TODAY)
    assert Finding.objects.get().unit == teams.platform
    page = signed_in(EXECUTIVE).get(PAGE).content.decode()
    assert "is about shop alone and may explain a part" in page


@pytest.mark.usefixtures("owned")
def test_a_note_of_a_repository_stands_on_the_charts_of_its_owner(teams: Teams) -> None:
    event(MANAGER, repository="shop", text="Migration")
    access = access_of(create_user(EXECUTIVE))

    def read(unit: Unit | None, *repositories: str) -> list[str]:
        scope = Scope(unit=unit.slug if unit else None)
        return [note.text for note in notes_on(PICKUP, scope, Window(*TRAINING), access, repositories)]

    assert read(teams.platform) == ["Migration"]
    assert read(teams.search) == read(teams.engineering) == read(None) == []
    assert read(None, "shop") == ["Migration"]
    assert read(teams.platform, "warehouse") == []
    for persona, number in ((MEMBER, 1), (OTHER_MEMBER, 0)):
        assert signed_in(persona).get("/api/v1/annotations/").json()["total"] == number


@pytest.mark.usefixtures("owned")
def test_those_who_lead_the_owner_write_about_a_repository(teams: Teams) -> None:
    with pytest.raises(MayNotWriteError):
        event(MEMBER, repository="shop")
    Repository.objects.create(name="warehouse")
    for name in ("warehouse", "nowhere"):
        with pytest.raises(QueryError, match="no repository of this name"):
            event(MANAGER, repository=name)
    with pytest.raises(QueryError, match="not about both"):
        event(EXECUTIVE, repository="shop", unit="platform")
    assert event(EXECUTIVE, repository="warehouse").repository is not None
    client = signed_in(MANAGER)
    sent = {"text": "Freeze", "from": "2026-11-02", "to": "2026-11-09", "repository": "shop", "excuses": True}
    added = client.post("/api/v1/annotations/", sent, content_type="application/json")
    assert added.status_code == 201
    assert {name: added.json()[name] for name in sent} == sent
    page = client.get(f"/insights/annotations/{added.json()['id']}/").content.decode()
    assert "shop, Every chart, explains changes" in page
    assert "shop (repository)" in client.get("/insights/annotations/").content.decode()


def test_the_form_writes_an_event(teams: Teams) -> None:
    client = signed_in(MANAGER)
    form = {"text": "Freeze", "first_day": "2026-11-02", "last_day": "", "whose": "platform", "excuses": "on"}
    assert client.post("/insights/annotations/new/?unit=platform", form).status_code == 302
    written = Annotation.objects.get()
    assert (written.excuses, written.repository, written.unit) == (True, None, teams.platform)
    assert "Explains changes" in client.get("/insights/annotations/").content.decode()
