"""Pages of benchmarks and of the focus: who sees what, nothing lost, lines on charts, and few queries."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from insights.columns.refresh import refresh
from orgtree.models import Unit
from programs.benchmarks.queries.benchmarks import newest_focus
from programs.benchmarks.services.focusing import set_focus
from programs.models import BenchmarkVersion, FocusVersion
from tests.org import Org
from tests.pages.recomputed import plain
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user, signed_in
from tests.programs.agreements import HOUR, PICKUP, agree, changes_of, reviews_of_platform
from tests.programs.tickets import as_
from tests.stored_once import StoreOnce

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sign_in")]

SignIn = Callable[[Persona], Client]
PAGE = f"/programs/benchmarks/{PICKUP}/"
EDIT = f"{PAGE}edit/?unit=platform"
MOST_QUERIES = 15


@pytest.fixture(scope="module")
def sign_in(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignIn]:
    with stored_once(lambda: reviews_of_platform(Org(tmp_path_factory.mktemp))):
        yield signed_in


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return plain(answer.content.decode())


def lines(client: Client, address: str) -> list[tuple[str, str]]:
    drawn = client.get(address).json()["benchmarks"]
    return [(line["role"], line["label"]) for line in drawn if line["role"] != "published"]


def test_the_three_questions_and_who_may_answer_them(sign_in: SignIn) -> None:
    agree(unit="", threshold=24 * HOUR, target=None, reason="A day is enough.")
    agree(threshold=8 * HOUR, target=6 * HOUR)
    manager = page(sign_in(MANAGER), "/programs/benchmarks/?unit=platform")
    assert "Pickup time Median" in manager
    assert "8.0 h 6.0 h" in manager
    assert "to the threshold Own Change" in manager
    inherited = page(sign_in(EXECUTIVE), "/programs/benchmarks/?unit=search")
    assert "24.0 h – " in inherited
    assert "From whole organisation" in inherited
    assert "Override" in inherited
    member = sign_in(MEMBER)
    assert "Change" not in page(member, "/programs/benchmarks/?unit=platform").replace("Change unit", "")
    assert "Reviews wait overnight." in page(member, PAGE + "?unit=platform")
    assert member.get(EDIT).status_code == 403
    assert member.post(EDIT, {"threshold": "1 h", "reason": "Mine"}).status_code == 403
    assert sign_in(OTHER_MEMBER).get(PAGE + "?unit=platform").status_code == 404, "of which Grace may not know"
    assert sign_in(OTHER_MEMBER).get(EDIT).status_code == 404
    assert "For Platform" in page(sign_in(MANAGER), f"{PAGE}edit/")
    assert BenchmarkVersion.objects.count() == 2


def test_figures_of_others_are_theirs(sign_in: SignIn) -> None:
    agree(unit="", threshold=24 * HOUR, target=2 * HOUR)
    grace = page(sign_in(OTHER_MEMBER), PAGE)
    assert "24.0 h" in grace
    assert "Baseline" not in grace, "of the whole organisation, which she may not look at"
    executive = page(sign_in(EXECUTIVE), PAGE)
    assert "Baseline" in executive
    assert "95% interval" in executive


def test_agreeing_on_the_page(sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    form = {"threshold": "8 h", "target": "20 h", "weeks": "12", "reason": "Overnight waits.", "number": "0"}
    answer = client.post(EDIT, form)
    assert answer.status_code == 400
    assert "cannot be worse than the threshold" in plain(answer.content.decode())
    assert "Overnight waits." in answer.content.decode(), "what was written stays"
    unreadable = client.post(EDIT, {**form, "target": "soon"})
    assert unreadable.status_code == 400
    assert "a duration with its unit, like 40 h" in plain(unreadable.content.decode())
    reached = client.post(EDIT, {**form, "threshold": "", "target": "3 d"})
    assert reached.status_code == 400
    assert "is already better than this target" in plain(reached.content.decode())
    assert 'name="is_to_hold"' in reached.content.decode()
    assert client.post(EDIT, {**form, "threshold": "", "target": "3 d", "is_to_hold": "on"}).status_code == 302
    filled_in = client.post(EDIT, {**form, "take": "7.5 h|6 h", "number": "1"})
    assert filled_in.status_code == 200
    assert 'value="7.5 h"' in filled_in.content.decode()
    assert "Overnight waits." in filled_in.content.decode()
    assert BenchmarkVersion.objects.count() == 1, "filling in stores nothing"
    late = client.post(EDIT, {**form, "target": "6 h"})
    assert late.status_code == 409
    both = plain(late.content.decode())
    assert "3 days 6 h" in both, "what holds beside what was written"
    assert 'name="number" value="1"' in late.content.decode()
    assert client.post(EDIT, {**form, "target": "6 h", "number": "1"}).status_code == 302
    version = BenchmarkVersion.objects.get(number=2)
    assert (version.threshold, version.target, version.written_by) == (8 * HOUR, 6 * HOUR, create_user(MANAGER))
    assert version.baseline == pytest.approx(10.5 * HOUR), "4 hours, and the middle of 1 to 12"
    history = page(client, PAGE + "?unit=platform")
    assert "Version 2" in history
    assert "Version 1" in history
    back = client.post(f"{PAGE}take-back/?unit=platform", {"reason": "", "number": "2"})
    assert back.status_code == 400
    assert client.post(f"{PAGE}take-back/?unit=platform", {"reason": "Enough.", "number": "1"}).status_code == 409
    assert client.post(f"{PAGE}take-back/?unit=platform", {"reason": "Enough.", "number": "2"}).status_code == 302
    assert "Withdrawn" in page(client, PAGE + "?unit=platform")


def test_scripts_in_what_is_written_are_text(sign_in: SignIn) -> None:
    agree(reason="<script>alert(1)</script>")
    raw = sign_in(MANAGER).get(PAGE + "?unit=platform").content.decode()
    assert "<script>alert" not in raw
    assert "&lt;script&gt;alert(1)" in raw


def test_lines_are_on_every_chart_of_the_metric(sign_in: SignIn) -> None:
    agree(threshold=8 * HOUR, target=6 * HOUR)
    agree(unit="", metric="pr.size", threshold=45.0, target=40.0)
    agree(unit="", metric="pr.throughput", threshold=5.0, target=None, period="week")
    client, executive = sign_in(MANAGER), sign_in(EXECUTIVE)
    charts = f"/insights/metrics/{PICKUP}/charts"
    own = [("threshold", "Threshold 8.0 h"), ("target", "Target 6.0 h")]
    assert lines(client, f"{charts}/trend/?unit=platform") == own
    assert lines(client, f"{charts}/split/?unit=platform") == own, "the lines of its parts are medians, too"
    assert lines(client, f"{charts}/trend/?unit=platform&statistic=mean") == []
    assert lines(executive, f"{charts}/trend/") == [], "nothing was agreed for the organisation"
    assert lines(client, "/insights/delivery/charts/size/?unit=platform") == [
        ("threshold", "Threshold 45 lines (whole organisation)"),
        ("target", "Target 40 lines (whole organisation)"),
    ]
    assert lines(client, "/insights/delivery/charts/gaps/?unit=platform") == [], "of several metrics"
    throughput = "/insights/metrics/pr.throughput/charts"
    assert lines(client, f"{throughput}/trend/?unit=platform") == [], "a count of all"
    assert lines(executive, f"{throughput}/trend/") == [("threshold", "Threshold 5")]
    assert lines(executive, f"{throughput}/trend/?granularity=month") == [], "it is of weeks"
    assert lines(executive, f"{throughput}/split/") == [], "of the parts of a sum"
    assert lines(client, f"{charts}/trend/?person=me") == [], "nobody is held against it"
    metric = page(client, f"/insights/metrics/{PICKUP}/?unit=platform")
    assert "Threshold 8.0 h · Target 6.0 h" in metric
    panel = page(client, f"/insights/metrics/{PICKUP}/how/?unit=platform")
    assert "Threshold and target Threshold 8.0 h · Target 6.0 h of the median" in panel


def test_a_list_takes_few_queries(sign_in: SignIn) -> None:
    agree(threshold=8 * HOUR, target=6 * HOUR)
    agree(unit="", metric="pr.throughput", threshold=5.0, target=None, period="week")
    client = sign_in(EXECUTIVE)
    refresh()
    address = "/programs/benchmarks/?unit=engineering&show=all"
    client.get(address)
    for url in (address, PAGE + "?unit=engineering", "/programs/focus/?unit=engineering"):
        with CaptureQueriesContext(connection) as queries:
            page(client, url)
        statements = "\n".join(str(query["sql"])[:110] for query in queries.captured_queries)
        assert len(queries) <= MOST_QUERIES, f"{url}\n{statements}"


@pytest.mark.parametrize("wrong", ["show=weather", "unit=nowhere"])
def test_what_an_address_cannot_mean(sign_in: SignIn, wrong: str) -> None:
    answer = sign_in(ADMIN).get(f"/programs/benchmarks/?{wrong}")
    assert answer.status_code in (400, 404)
    assert sign_in(ADMIN).get("/programs/benchmarks/dora.luck/").status_code == 404
    part = "?unit=unassigned:teams"
    assert sign_in(ADMIN).get(f"{PAGE}edit/{part}").status_code == 403, "nothing is agreed for a part"
    assert sign_in(ADMIN).post(f"{PAGE}take-back/{part}", {"reason": "x", "number": "0"}).status_code == 403
    assert sign_in(ADMIN).post(f"/programs/focus/begin/{part}", {"set": "dora", "number": "0"}).status_code == 403
    assert sign_in(ADMIN).get("/programs/benchmarks/ai.committed_breakdown/edit/").status_code == 404


def test_the_csv_has_what_the_page_has(sign_in: SignIn) -> None:
    agree(threshold=8 * HOUR, target=6 * HOUR, reason="=1+1")
    rows = list(
        csv.DictReader(
            io.StringIO(
                sign_in(MANAGER).get("/programs/benchmarks/benchmarks.csv?unit=platform").getvalue().decode("utf-8-sig")
            )
        )
    )
    assert len(rows) == 1
    row = rows[0]
    assert (row["Key"], row["Threshold"], row["Target"]) == (PICKUP, "28800.0", "21600.0")
    assert row["Source"] == "Platform"
    assert float(row["Baseline"]) == pytest.approx(10.5 * HOUR)
    assert row["Reason"] == "'=1+1", "no formula"


def test_one_focus_at_a_time_and_a_starter_set_in_one_step(sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    begin, edit = "/programs/focus/begin/?unit=platform", "/programs/focus/edit/?unit=platform"
    assert "No focus yet" in page(client, "/programs/focus/?unit=platform")
    assert client.post(begin, {"set": "luck", "number": "0"}).status_code == 400
    assert client.post(begin, {"set": "dora", "number": "0"}).status_code == 302
    assert client.post(begin, {"set": "space", "number": "0"}).status_code == 409
    platform = Unit.objects.get(slug="platform")
    focus = newest_focus(platform.pk)
    assert focus is not None
    assert (focus.metric, len(focus.indicators), focus.starter_set) == ("", 5, "dora")
    twice = {"metric": PICKUP, "indicator_0": "pr.size", "indicator_1": "pr.size", "reason": "Waits", "number": "1"}
    assert client.post(edit, twice).status_code == 400
    assert client.post(edit, {**twice, "indicator_1": "pr.linked_rate"}).status_code == 302
    late = client.post(edit, {**twice, "indicator_1": "", "reason": "Mine"})
    assert late.status_code == 409
    assert "Mine" in late.content.decode()
    assert "Pickup time" in late.content.decode()
    shown = page(client, "/programs/focus/?unit=platform")
    assert "Pickup time" in shown
    assert "Pull request size" in shown
    assert "Version 2" in shown
    assert "Reset" not in shown
    below = page(sign_in(OTHER_MEMBER), "/programs/focus/?unit=search")
    assert "No focus yet" in below
    set_focus(as_(EXECUTIVE), {"unit": "engineering", "metric": "dora.lead_time", "reason": "First this"}, of_number=0)
    assert "Engineering focuses on Lead time" in page(sign_in(OTHER_MEMBER), "/programs/focus/?unit=search")
    assert sign_in(MEMBER).get(edit).status_code == 403
    assert sign_in(MEMBER).post(begin, {"set": "dora", "number": "2"}).status_code == 403
    assert sign_in(OTHER_MEMBER).get("/programs/focus/?unit=platform").status_code == 404
    FocusVersion.objects.create(unit=platform, number=3, metric="dora.luck", indicators=["pr.size"], reason="?")
    assert "no longer exist: dora.luck" in page(client, "/programs/focus/?unit=platform")


def test_trying_targets_does_not_reveal_the_baseline_of_few_people(sign_in: SignIn, org: Org) -> None:
    """Search is two people: what they do is told to nobody outside, whatever target is tried."""
    changes_of(org, ("grace", "lise"), weeks=range(1, 13), waits=lambda _week: 20.0, first=50_000)
    for hours in (20.0, 23.9, 24.1, 80.0):  # both sides of the 24 hours that it is
        version = agree(unit="search", threshold=None, target=hours * HOUR)
        assert (version.baseline_people, version.is_to_hold) == (1, False), "Grace reviews, so that it is Lise's alone"
    client = sign_in(EXECUTIVE)
    shown = page(client, PAGE + "?unit=search")
    assert "Baseline" not in shown
    assert "Hidden" in shown
    assert "24.0 h" not in shown
    rows = client.get("/programs/benchmarks/benchmarks.csv?unit=search").getvalue().decode()
    assert "86400.0" not in rows
    grace = page(sign_in(OTHER_MEMBER), PAGE + "?unit=search")
    assert "24.0 h" in grace, "how one's own unit delivers is told at any size"
