"""The read API: shapes of docs/reference/api.md, errors that name the parameter, tokens, and that all ways agree."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from insights.catalogue.registry import metrics
from insights.columns.refresh import refresh
from insights.engine.read import read_series
from insights.query import windows
from insights.query.query import Dimension, Query
from orgtree.access.api_tokens import create_api_token, revoke_api_token
from orgtree.models import ApiToken, IndividualPolicy, MembersSee, Organisation, Person
from tests.engine.facts import World, create_world
from tests.stored_once import StoreOnce

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
DAYS = [NOW.date() - timedelta(days=n) for n in range(59, -1, -1)]
SERIES = "/api/v1/metrics/ai.tokens/series/"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def _open_organisation(db: None) -> None:
    """An organisation in which everybody sees everything; tests/privacy/test_withholding.py tests visibility."""
    Organisation.objects.create(
        pk=1, individual_policy=IndividualPolicy.NAMED, members_see=MembersSee.EVERYTHING, protected_since=NOW
    )


@pytest.fixture(scope="module")
def world(stored_once: StoreOnce) -> Iterator[World]:
    with stored_once(lambda: create_world(7, days=DAYS, sessions=25), at=NOW) as world:
        yield world


@pytest.fixture
def reader() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("reader", "reader@example.com"))
    return client


def bearer(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


def get(client: Client, path: str, status: int = 200) -> Any:
    response = client.get(path)
    assert response.status_code == status, response.content
    return json.loads(response.content, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def test_a_series_has_the_documented_shape(world: World, reader: Client) -> None:
    answer = get(reader, f"{SERIES}?from=2026-03-04&to=2026-03-19&granularity=week")
    assert {name: answer[name] for name in ("key", "version", "unit_of_measure", "better", "belongs_to")} == {
        "key": "ai.tokens",
        "version": 1,
        "unit_of_measure": "tokens",
        "better": "neither",
        "belongs_to": "person",
    }
    assert answer["scope"] == {"unit": None, "where": {}}
    assert (answer["from"], answer["to"], answer["granularity"]) == ("2026-03-04", "2026-03-19", "week")
    assert answer["time_zone"] == "UTC"
    assert answer["statistic"] is None
    assert 0 <= answer["unmatched"] <= 1
    assert answer["computed_at"] == "2026-03-18T15:30:00Z"
    assert answer["fresh_until"] > answer["computed_at"]
    figure = {"segment", "value", "numerator", "denominator", "sample_size", "people", "reason"}
    assert all(figure <= set(total) for total in answer["total"])
    assert [(point["from"], point["to"]) for point in answer["series"]] == [
        ("2026-03-04", "2026-03-09"),
        ("2026-03-09", "2026-03-16"),
        ("2026-03-16", "2026-03-19"),
    ]
    assert sum(point["value"] for point in answer["series"]) == answer["total"][0]["value"]


def test_command_api_and_engine_agree(world: World, reader: Client) -> None:
    options = ["--unit", "red", "--facet", "agent=codex", "agent=gemini", "--segment", "agent", "--json"]
    differing = []
    for metric in metrics():
        if Dimension.AGENT in metric.facets and Dimension.AGENT in metric.segments:
            address = (
                f"/api/v1/metrics/{metric.key}/series/?unit=red&facet=agent=codex&facet=agent=gemini&segment=agent"
            )
            out = io.StringIO()
            call_command("metric", metric.key, *options, stdout=out)
            if json.loads(out.getvalue()) != get(reader, address):
                differing.append(metric.key)
    assert differing == []


def test_the_total_lies_between_the_points(world: World, reader: Client) -> None:
    for key in ("ai.cache_hit_rate", "ai.error_rate", "ai.session_duration"):
        answer = get(reader, f"/api/v1/metrics/{key}/series/?from=2026-02-02&to=2026-03-16")
        points = [point["value"] for point in answer["series"] if point["value"] is not None]
        assert min(points) <= answer["total"][0]["value"] <= max(points)


WRONG_QUERIES: Sequence[tuple[str, str, str]] = [
    ("granularity=year", "granularity", "Use one of day, week, month, quarter"),
    ("from=yesterday", "from", "Write it as 2026-01-31"),
    ("to=1970-01-01", "to", "out of reach"),
    ("from=2026-03-01&to=2026-03-01", "to", "The window is empty"),
    ("from=2001-01-01", "from", "longer than five years"),
    ("segment=tool", "segment", "It has agent, model, repository or token_kind"),
    ("segment=nonsense", "segment", "There is no segment"),
    ("segment=agent&segment=agent", "segment", "twice"),
    ("facet=agent", "facet", "name=value"),
    ("facet=tool=x", "facet", "has no facet"),
    ("facet=agent=%00", "facet", "NUL"),
    ("where=site=Berlin", "where", "no attribute"),
    ("person=somebody", "person", "person=me"),
    ("person=me", "person", "not linked to a person"),
    ("statistic=median", "statistic", "leave `statistic` out"),
    ("statistic=p50", "statistic", "Use one of median, mean, trimmed_mean, p75, p85, p90, p95"),
    ("window=12w", "window", "There is no parameter"),
    ("from=2026-03-01&from=2026-03-02", "from", "more than once"),
]


def test_what_is_wrong_is_named_with_the_remedy(reader: Client, subtests: pytest.Subtests) -> None:
    for query, parameter, words in WRONG_QUERIES:
        with subtests.test(query=query):
            error = get(reader, f"{SERIES}?{query}", 400)["error"]
            assert error["parameter"] == parameter
            assert words in error["message"]


@pytest.mark.parametrize("unit", ["nowhere", "unassigned:nowhere"])
def test_a_unit_that_is_not_there_is_404(reader: Client, unit: str) -> None:
    error = get(reader, f"{SERIES}?unit={unit}", 404)["error"]
    assert error["parameter"] == "unit"
    assert "There is no unit" in error["message"]


def test_an_unknown_metric_is_not_found(reader: Client) -> None:
    for path in ("", "series/", "rows/", "distribution/"):
        error = get(reader, f"/api/v1/metrics/ai.nothing/{path}", 404)["error"]
        assert error["parameter"] == "key"


def test_the_command_says_what_is_wrong_and_fails() -> None:
    with pytest.raises(CommandError, match="has no segment “tool”"):
        call_command("metric", "ai.tokens", "--segment", "tool")
    with pytest.raises(CommandError, match="nobody with the address"):
        call_command("metric", "ai.tokens", "--person", "nobody@example.com")


def test_the_command_answers_for_one_person(world: World) -> None:
    person = Person.objects.get(pk=next(session.person for session in world.sessions if session.person))
    own = [session for session in world.sessions if session.person == person.pk]
    out = io.StringIO()
    call_command("metric", "ai.sessions", "--person", str(person.email).upper(), "--json", stdout=out)
    assert json.loads(out.getvalue())["total"][0]["value"] == len(own)


def test_rows_are_paged_with_links(world: World, reader: Client) -> None:
    first = get(reader, "/api/v1/metrics/ai.sessions/rows/?size=10")
    assert len(first["rows"]) == 10
    assert first["previous"] is None
    assert first["recipe"] == "Σ contribution"
    assert {column["name"] for column in first["columns"]} == set(first["rows"][0])
    second = get(reader, first["next"].removeprefix("http://testserver"))
    assert second["page"] == 2
    assert second["rows"][0] != first["rows"][0]
    whole = get(reader, f"/api/v1/metrics/ai.sessions/rows/?size={first['total']}")
    assert (len(whole["rows"]), whole["next"]) == (first["total"], None)
    for wrong in ("0", "-1", "x", "9" * 30):
        assert get(reader, f"/api/v1/metrics/ai.sessions/rows/?page={wrong}", 400)["error"]["parameter"] == "page"
    assert get(reader, "/api/v1/metrics/ai.sessions/rows/?size=1001", 400)["error"]["parameter"] == "size"


def test_a_distribution_has_percentiles_and_bins(world: World, reader: Client) -> None:
    answer = get(reader, "/api/v1/metrics/ai.session_duration/distribution/")
    assert list(answer["percentiles"]) == ["p5", "p25", "p50", "p75", "p90", "p95", "p99"]
    assert sum(bin_["count"] for bin_ in answer["histogram"]) == answer["sample_size"] == 25
    error = get(reader, "/api/v1/metrics/ai.session_duration/distribution/?segment=agent", 400)["error"]
    assert error["parameter"] == "segment"


def test_nobody_gets_anything_without_a_token(world: World) -> None:
    response = Client().get(SERIES)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "unknown, revoked or expired" in get(bearer("hwa_wrong"), SERIES, 401)["error"]["message"]


def test_a_token_without_a_user_reads_aggregates_only(world: World) -> None:
    _, secret = create_api_token("dashboard", expires_at=None)
    assert get(bearer(secret), SERIES)["total"]
    error = get(bearer(secret), "/api/v1/metrics/ai.tokens/rows/", 403)["error"]
    assert "aggregates only" in error["message"]


def test_a_token_acts_for_its_user_until_it_is_revoked(world: World) -> None:
    user = User.objects.create_user("ada", "ada@example.com")
    token, secret = create_api_token("laptop", user=user, expires_at=None)
    assert get(bearer(secret), "/api/v1/metrics/ai.tokens/rows/")["rows"]
    user.is_active = False
    user.save()
    get(bearer(secret), SERIES, 401)
    user.is_active = True
    user.save()
    revoke_api_token(token)
    get(bearer(secret), SERIES, 401)


def test_a_token_is_printed_once_and_kept_as_a_digest() -> None:
    out = io.StringIO()
    User.objects.create_user("ada", "ada@example.com")
    call_command("create_api_token", "laptop", "--user", "ADA@example.com", stdout=out)
    secret = out.getvalue().strip()
    token = ApiToken.objects.get()
    assert secret.startswith("hwa_")
    assert token.user is not None
    assert token.hint == secret[-4:]
    assert secret.encode() not in bytes(token.digest)
    with pytest.raises(CommandError, match="no active account"):
        call_command("create_api_token", "laptop", "--user", "nobody")


def test_a_series_takes_few_queries(
    world: World, reader: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    get(reader, "/api/v1/metrics/ai.adoption_rate/series/?unit=root")  # types of columns are looked up once a process
    with django_assert_max_num_queries(10):  # two of them: which partitions are true, and whether memberships changed
        get(reader, "/api/v1/metrics/ai.adoption_rate/series/?unit=root")
    refresh()
    with django_assert_max_num_queries(9):  # no rows are read from PostgreSQL; one says what the figure lacks
        get(reader, "/api/v1/metrics/ai.adoption_rate/series/?unit=root")


def test_all_metrics_of_a_page_take_one_statement_a_relation(
    world: World, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    window = windows.trailing(12)
    queries = [Query(metric.key, window) for metric in metrics()]
    queries += [Query("ai.spend", window, segments=(dimension,)) for dimension in (Dimension.AGENT, Dimension.MODEL)]
    relations = {measure.relation.name for metric in metrics() for measure in metric.measures}
    split_and_looked_up = 14  # two by segment, scopes, partitions, since when each kind of source is there
    with django_assert_max_num_queries(len(relations) + split_and_looked_up):
        read_series(queries)
    refresh()
    with django_assert_max_num_queries(13):  # since when each kind of source is there
        read_series(queries)


def test_the_openapi_document_describes_every_path(reader: Client) -> None:
    document = get(reader, "/api/schema/?format=json&version=%0D%0A")  # once part of a header
    paths = {path for path in document["paths"] if path.startswith("/api/v1/metrics/")}
    base = "/api/v1/metrics/{key}/"
    assert paths >= {"/api/v1/metrics/", base, f"{base}series/", f"{base}rows/", f"{base}distribution/"}
    names = {parameter["name"] for parameter in document["paths"][f"{base}series/"]["get"]["parameters"]}
    own = {"granularity", "segment", "segment_page", "statistic"}
    assert names == {"key", "unit", "where", "person", "facet", "from", "to"} | own


def test_the_docs_page_holds_no_inline_script_or_style(reader: Client) -> None:
    page = reader.get("/api/docs/").content.decode()
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=") == 3


def test_a_figure_is_the_total_of_its_series_beside_the_window_before(world: World, reader: Client) -> None:
    about = "unit=red&from=2026-03-02&to=2026-03-09"
    answer = get(reader, f"/api/v1/metrics/ai.sessions/figure/?{about}")
    [total] = get(reader, f"/api/v1/metrics/ai.sessions/series/?{about}")["total"]
    earlier = "unit=red&from=2026-02-23&to=2026-03-02"
    [before] = get(reader, f"/api/v1/metrics/ai.sessions/series/?{earlier}")["total"]
    assert {name: answer[name] for name in total} == total
    assert (answer["previous"]["from"], answer["previous"]["value"]) == ("2026-02-23", before["value"])
    assert answer["text"] == f"{total['value']:.0f}"
    assert get(reader, "/api/v1/metrics/ai.sessions/figure/?segment=agent", 400)["error"]["parameter"] == "segment"
