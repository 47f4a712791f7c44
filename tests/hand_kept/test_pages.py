"""The pages of hand-kept metrics, and where else their figures show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from insights.catalogue.registry import get
from integrations.hand_kept.templates import TEMPLATES
from integrations.models import HandKeptMetric, HandKeptValue
from orgtree.access.access import access_of
from programs.benchmarks.services.writing import set_benchmark
from programs.key_results.services.measuring import measure_objectives
from tests.hand_kept.keeping import KEY, define, enter
from tests.org import Org
from tests.pages.recomputed import plain
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user, signed_in
from tests.programs.objectives import objective
from tests.teams import create_teams

SignIn = Callable[[Persona], Client]
LIST = "/insights/hand-kept/"
VALUES = f"{LIST}customer_satisfaction/"
METRIC = f"/insights/metrics/{KEY}/"
FORM = {
    "name": "Customer satisfaction",
    "slug": "customer_satisfaction",
    "meaning": "Share of customers who are satisfied.",
    "unit_of_measure": "percent",
    "better": "higher",
    "valid_days": "62",
    "keepers": "ada@example.com",
}


@pytest.fixture
def sign_in(org: Org) -> SignIn:
    create_teams()
    return signed_in


@pytest.fixture
def satisfaction(sign_in: SignIn) -> HandKeptMetric:
    """Kept by Grace, who is a member of Search."""
    create_user(OTHER_MEMBER)
    return define(keepers=(OTHER_MEMBER.email,))


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content
    return plain(answer.content.decode())


def value_form(**fields: str) -> dict[str, str]:
    return {"unit": "platform", "day": f"{timezone.localdate()}", "value": "84 %", "note": "", **fields}


def test_a_template_becomes_a_metric_of_the_catalogue(sign_in: SignIn) -> None:
    client = sign_in(EXECUTIVE)
    listed = page(client, LIST)
    assert "No hand-kept metrics yet" in listed
    assert all(template.name in listed for template in TEMPLATES.values())
    filled_in = client.get(f"{LIST}new/?template=downtime").context["form"].initial
    assert (filled_in["slug"], filled_in["unit_of_measure"], filled_in["keepers"]) == (
        "downtime",
        "seconds",
        EXECUTIVE.email,
    )
    assert client.get(f"{LIST}new/?template=luck").status_code == 404
    create_user(MEMBER)
    assert client.post(f"{LIST}new/", FORM)["Location"] == VALUES
    metric = get(KEY)
    assert (metric.name, metric.unit, metric.better, metric.is_hand_kept) == (
        "Customer satisfaction",
        "percent",
        "higher",
        True,
    )
    listed = page(client, LIST)
    assert "Ada" in listed
    assert "Use template Customer satisfaction" not in client.get(LIST).content.decode()
    assert "Entered by hand" in page(client, "/insights/metrics/")
    assert KEY in client.get("/insights/metrics.csv").getvalue().decode()
    assert client.post(f"{LIST}new/", FORM).status_code == 400, "there is one of that key"


def test_only_executives_and_admins_define(sign_in: SignIn) -> None:
    for persona in (MANAGER, MEMBER):
        client = sign_in(persona)
        assert client.get(f"{LIST}new/").status_code == client.post(f"{LIST}new/", FORM).status_code == 403
        assert "Use template" not in page(client, LIST)
    assert not HandKeptMetric.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("slug", word) for word in ("New Metric", "new", "import", "1st")),
        *(("valid_days", word) for word in ("0", "401", "soon")),
        *(("better", "up"), ("unit_of_measure", "stars"), ("keepers", "nobody@example.com"), ("name", " ")),
        ("meaning", "x" * 301),
    ],
)
def test_a_wrong_definition_is_refused(sign_in: SignIn, field: str, value: str) -> None:
    create_user(MEMBER)
    answer = sign_in(ADMIN).post(f"{LIST}new/", {**FORM, field: value})
    assert answer.status_code == 400
    assert field in answer.context["form"].errors
    assert not HandKeptMetric.objects.exists()


def test_two_edits_of_a_definition_lose_nothing(satisfaction: HandKeptMetric, sign_in: SignIn) -> None:
    client = sign_in(ADMIN)
    form = client.get(f"{VALUES}edit/").context["form"].initial
    assert client.post(f"{VALUES}edit/", {**form, "name": "Satisfaction"}).status_code == 302
    late = client.post(f"{VALUES}edit/", {**form, "name": "Happiness"})
    assert late.status_code == 409
    assert "Satisfaction Happiness" in plain(late.content.decode())
    again = late.context["form"]["version"].value()
    assert client.post(f"{VALUES}edit/", {**form, "name": "Happiness", "version": again}).status_code == 302
    assert (get(KEY).name, get(KEY).version) == ("Happiness", 1)
    enter(satisfaction, "platform", "2026-03-01", 80)
    wrong = client.post(f"{VALUES}edit/", {**form, "unit_of_measure": "count", "version": 3})
    assert "Values have been entered in the present unit." in plain(wrong.content.decode())


def test_managers_enter_for_their_units_and_keepers_for_all(satisfaction: HandKeptMetric, sign_in: SignIn) -> None:
    manager, keeper, member = sign_in(MANAGER), sign_in(OTHER_MEMBER), sign_in(MEMBER)
    assert manager.post(VALUES, value_form()).status_code == 302
    for unit in ("search", ":organisation", "nowhere"):
        assert manager.post(VALUES, value_form(unit=unit)).status_code == 400, unit
    for unit in ("platform", "search", ":organisation"):
        assert keeper.post(VALUES, value_form(unit=unit, value="77 %", note="Survey")).status_code == 302, unit
    assert member.post(VALUES, value_form()).status_code == 403
    assert "Enter a value" not in page(member, VALUES)
    assert HandKeptValue.objects.count() == 3
    history = page(manager, f"{VALUES}history/")
    assert "Entered 84.0% · Platform" in history, "it has what was replaced"
    assert "· Search" not in history, "whose figures she may not see"
    seen = page(manager, VALUES)
    assert "77.0%" in seen
    assert "Grace" in seen
    assert "Search" not in seen.partition("Values Of the units")[2], "whose figures she may not see"
    assert "Search" in page(keeper, VALUES)
    theirs = HandKeptValue.objects.get(unit__slug="search")
    assert manager.post(f"{VALUES}values/{theirs.pk}/remove/").status_code == 404
    assert (
        member.post(f"{VALUES}values/{HandKeptValue.objects.get(unit__slug='platform').pk}/remove/").status_code == 403
    )
    assert keeper.post(f"{VALUES}values/{theirs.pk}/remove/").status_code == 302
    assert "Removed 77.0% · Search" in page(keeper, f"{VALUES}history/")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"day": "2099-12-31"}, "has not come yet"),
        ({"day": "1999-12-31"}, "before the year 2000"),
        ({"value": "1e15"}, "is not a percentage, like 80%"),
        ({"value": "1000000000000000"}, "It is too large: at most 1,000,000,000,000."),
        ({"value": "many"}, "is not a percentage"),
        ({"value": ""}, "This field is required."),
        ({"note": "x" * 301}, "at most 300 characters"),
    ],
)
def test_a_wrong_value_is_refused_and_stays_in_the_form(
    satisfaction: HandKeptMetric, sign_in: SignIn, change: dict[str, str], message: str
) -> None:
    answer = sign_in(MANAGER).post(VALUES, value_form(**{"note": "From the survey", **change}))
    assert answer.status_code == 400
    assert message in plain(answer.content.decode())
    assert not HandKeptValue.objects.exists()


def test_the_metric_page_shows_value_author_and_note_and_that_it_is_entered_by_hand(
    satisfaction: HandKeptMetric, sign_in: SignIn
) -> None:
    day = timezone.localdate() - timedelta(days=3)
    enter(satisfaction, "platform", f"{day}", 84, note="<script>alert(1)</script>", by=MANAGER)
    client = sign_in(MANAGER)
    shown = page(client, f"{METRIC}?unit=platform")
    assert "Customer satisfaction Entered by hand" in shown
    assert "84.0" in shown
    assert "only for the unit that it was entered for" in shown
    assert "Kept by Grace; managers for their units, executives and admins" in shown
    how = page(client, f"{METRIC}how/?unit=platform")
    assert "Entered by hand No tool measures it." in how
    rows = client.get(f"{METRIC}rows/?unit=platform&columns=all").content.decode()
    assert "&lt;script&gt;alert(1)" in rows
    assert "Edith" in rows
    assert "<script>alert" not in rows
    below = page(client, f"{METRIC}units/?unit=platform")
    assert "–" in below or "Platform" in below
    assert "No value has been entered." in page(sign_in(EXECUTIVE), METRIC)
    assert sign_in(OTHER_MEMBER).get(f"{METRIC}?unit=platform").status_code == 404, "keeping it opens no figures"
    side_by_side = page(sign_in(EXECUTIVE), f"/insights/compare/?metrics={KEY}&units=platform&units=search")
    assert "Customer satisfaction (entered by hand)" in side_by_side


def test_a_key_result_and_a_benchmark_use_it_like_any_other(satisfaction: HandKeptMetric, sign_in: SignIn) -> None:
    today = timezone.localdate()
    enter(satisfaction, "platform", f"{today - timedelta(days=1)}", 80)
    set_benchmark(
        access_of(create_user(MANAGER)),
        {"metric": KEY, "unit": "platform", "threshold": 75.0, "target": 90.0, "reason": "Renewals follow it."},
        of_number=0,
    )
    bound = {"title": "Satisfied customers", "metric": KEY, "better": "higher", "baseline": 70.0, "target": 90.0}
    written = objective(key_results=(bound,))
    measure_objectives(only=[written.pk])
    assert written.key_results.get().measure.value == 80
    client = sign_in(MANAGER)
    assert "Customer satisfaction (entered by hand)" in page(client, f"/programs/objectives/{written.pk}/")
    assert "Entered by hand" in page(client, f"/programs/benchmarks/{KEY}/?unit=platform")
    lines = client.get(f"{METRIC}charts/trend/?unit=platform").json()["benchmarks"]
    assert {line["role"] for line in lines} == {"threshold", "target"}


def upload(client: Client, text: str | bytes) -> tuple[int, str, str]:
    """The status, the page, and the text that a second step would import."""
    content = text if isinstance(text, bytes) else text.encode()
    answer = client.post(f"{LIST}import/", {"file": SimpleUploadedFile("values.csv", content)})
    shown = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    return answer.status_code, plain(shown), (answer.context or {}).get("text", "")


def test_a_file_is_tried_first_and_then_imported_whole(satisfaction: HandKeptMetric, sign_in: SignIn) -> None:
    enter(satisfaction, "platform", "2026-03-31", 80)
    client = sign_in(EXECUTIVE)
    lines = ("key,unit,date,value,note", f"{KEY},platform,2026-03-31,84%,", f"{KEY},search,31.03.2026,77.5,Few")
    text = "\n".join((*lines, f"{KEY},,2026-03-31,80,"))
    status, preview, kept = upload(client, text)
    assert (status, "Replaces 80.0%" in preview, preview.count("New")) == (200, True, 2)
    assert HandKeptValue.objects.count() == 1, "a preview stores nothing"
    assert client.post(f"{LIST}import/", {"text": kept}).status_code == 302
    stored = {(v.unit.slug if v.unit else "", float(v.value), v.entered_via) for v in HandKeptValue.objects.all()}
    assert stored == {("platform", 84.0, "CSV file"), ("search", 77.5, "CSV file"), ("", 80.0, "CSV file")}
    downloaded = client.get(f"{VALUES}values.csv").getvalue()
    _, again, _ = upload(client, downloaded)
    assert again.count("Unchanged") == 3, "what was downloaded can be imported"


WRONG_ROWS: Sequence[tuple[str, str]] = [
    (f"{KEY},platform,2099-12-31,80,", "has not come yet"),
    (f"{KEY},platform,2026-03-01,1000000000000000,", "Value: It is too large"),
    (f"{KEY},platform,2026-03-01,NaN,", "Value: It is no number."),
    (f"{KEY},platform,2026-03-01,,", "is not a percentage"),
    (f"{KEY},nowhere,2026-03-01,80,", "Unit: There is no unit nowhere, or you may not see it."),
    (f"{KEY},search,2026-03-01,80,", "Unit: There is no unit search, or you may not see it."),
    (f"{KEY},,2026-03-01,80,", "Values of the whole organisation are entered by whoever keeps the metric"),
    ("hand.luck,platform,2026-03-01,80,", "Key: There is no hand-kept metric hand.luck."),
    (f"{KEY},platform,2026-02-30,80,", "Date: There is no day 2026-02-30."),
    (f"{KEY},platform,2026-02-01,80,", "Row 2 has a value for the same metric, unit and day."),
]


def test_a_wrong_row_stores_nothing(satisfaction: HandKeptMetric, sign_in: SignIn, subtests: pytest.Subtests) -> None:
    for line, message in WRONG_ROWS:
        with subtests.test(line=line):
            client = sign_in(MANAGER)
            text = f"key,unit,date,value,note\n{KEY},platform,2026-02-01,79,\n{line}\n"
            status, preview, kept = upload(client, text)
            assert (status, kept) == (200, "")
            assert message in preview
            assert client.post(f"{LIST}import/", {"text": text}).status_code == 400
            assert not HandKeptValue.objects.exists()


def test_what_is_no_such_file_is_refused(satisfaction: HandKeptMetric, sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    for content, message in (
        (b"\xff\xfe\x00", "neither UTF-8 nor UTF-16"),
        (b"day,value\n", "missing: key, date"),
        (b"key,date,value,date\n", "names the column date twice"),
        (b"key,date,value\n" + b"a,b,c\n" * 1001, "more than 1,000 rows"),
        (b"x" * 1_000_001, "more than 1 MB"),
    ):
        status, shown, _ = upload(client, content)
        assert (status, message in shown) == (400, True), message
    assert client.post(f"{LIST}import/", {}).status_code == 400


def test_admins_define_and_delete_in_admin(sign_in: SignIn) -> None:
    client = sign_in(ADMIN)
    add = "/admin/integrations/handkeptmetric/add/"
    assert 'value="risk"' in client.get(f"{add}?template=risk").content.decode()
    form = {**FORM, "keepers": [create_user(MEMBER).pk]}
    assert client.post(add, form).status_code == 302
    metric = HandKeptMetric.objects.get()
    assert get(KEY).name == "Customer satisfaction"
    assert [keeper.pk for keeper in metric.keepers.all()] == [create_user(MEMBER).pk]
    change = f"/admin/integrations/handkeptmetric/{metric.pk}/change/"
    assert client.get(change).status_code == 200
    assert client.post(change, {**form, "valid_days": "90"}).status_code == 302
    assert get(KEY).version == 2
    enter(metric, "platform", "2026-03-01", 80)
    assert client.post(f"/admin/integrations/handkeptmetric/{metric.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not HandKeptValue.objects.exists()
    assert client.get(METRIC).status_code == 404
