"""Rows behind a figure: paged, exported, and no more of other people than the policy lets through."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta
from itertools import product

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from core.csv_export import csv_lines, safe_cell
from core.page_links import PAGE_SIZE
from insights.query import windows
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org
from tests.pages.delivering import day_before, merged

SESSIONS = "/insights/metrics/ai.tokens/rows/"
EXPORT = "/insights/metrics/ai.tokens/rows.csv"


@given(st.text(max_size=30))
def test_no_text_is_a_formula(text: str) -> None:
    safe = safe_cell(text)
    assert isinstance(safe, str)
    assert safe.lstrip()[:1] not in ("=", "+", "-", "@")
    assert not safe.startswith(("\t", "\r", "\n"))
    assert safe.endswith(text), "nothing is lost"


def test_numbers_stay_numbers() -> None:
    assert list(csv_lines([["n", "of"], [-3, 0.5]])) == ["\ufeff", "n,of\r\n", "-3,0.5\r\n"]


@pytest.fixture
def five_people(org: Org) -> Org:
    """Enough people to end the trial mode: from here on the policy holds."""
    yesterday = windows.local_today() - timedelta(days=1)
    for name in ("ada", "grace", "edith", "mary", "joan"):
        org.session(by=name, on=yesterday, tokens=1000)
    org.fold()
    return org


def exported(client: Client, address: str = EXPORT) -> list[dict[str, str]]:
    text = client.get(address).getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def set_policy(policy: IndividualPolicy) -> None:
    organisation = Organisation.current()
    organisation.individual_policy = policy
    organisation.save()


def test_on_trial_everybody_sees_every_name(org: Org, member: Client) -> None:
    org.session(by="grace", on=windows.local_today() - timedelta(days=1))
    org.fold()
    (row,) = exported(member)
    assert "grace" in row["Developer"].lower()
    assert row["Session"]
    assert row["Started"]


def test_with_pseudonyms_ones_own_total_is_exact_and_others_are_rounded(five_people: Org, member: Client) -> None:
    set_policy(IndividualPolicy.PSEUDONYMS)
    rows = exported(member)
    assert len(rows) == 5
    assert [row for row in rows if "ada" in row["Developer"].lower()]
    for row in rows:
        assert {*row} == {"Developer", "Sessions", "Contribution"}
        if "ada" not in row["Developer"].lower():
            assert row["Developer"].startswith("Developer ")
            assert (row["Sessions"], row["Contribution"]) == ("0.0", "1000.0")
    html = member.get(SESSIONS).content.decode()
    assert "grace" not in html.lower()
    assert "with rounded totals" in html
    greatest = member.get("/insights/metrics/ai.tokens/parts/outliers/", HTTP_HX_REQUEST="true")
    assert greatest.status_code == 200
    assert greatest.content.decode().count("<tr>") == 6, "a heading, and a total for each"


def test_a_policy_changed_while_a_page_is_open_holds_for_what_it_reads_next(five_people: Org, member: Client) -> None:
    set_policy(IndividualPolicy.NAMED)
    assert "grace" in member.get(SESSIONS).content.decode().lower()
    set_policy(IndividualPolicy.SELF_ONLY)
    panel = member.get(SESSIONS, headers={"HX-Request": "true"}).content.decode()
    assert "grace" not in panel.lower()
    assert len(exported(member)) == 1


def test_self_only_lists_nobody_else(five_people: Org, member: Client) -> None:
    set_policy(IndividualPolicy.SELF_ONLY)
    (own,) = exported(member)
    assert "ada" in own["Developer"].lower()
    html = member.get(SESSIONS).content.decode()
    assert "Only your own rows are listed" in html
    assert "of 5" not in html, "how many were left out is not said"


@pytest.mark.parametrize("policy", [IndividualPolicy.PSEUDONYMS, IndividualPolicy.NAMED])
def test_an_admin_sees_aggregates_and_no_rows(five_people: Org, admin: Client, policy: IndividualPolicy) -> None:
    set_policy(policy)
    assert exported(admin) == []
    page = admin.get(SESSIONS).content.decode()
    assert "you may see aggregates here" in page
    assert "No rows match" not in page
    assert "No rows for you" in page
    assert ">Figures by unit</a>" in page


def test_named_names_everybody(five_people: Org, member: Client) -> None:
    set_policy(IndividualPolicy.NAMED)
    assert all(row["Session"] for row in exported(member))


def test_rows_are_paged_and_exported_whole(org: Org, member: Client) -> None:
    yesterday = windows.local_today() - timedelta(days=1)
    for number in range(PAGE_SIZE + 3):
        org.session(by="ada", on=yesterday, at=f"{number % 24:02}:00", tokens=number + 1)
    org.fold()
    first = member.get(SESSIONS).content.decode()
    assert f"1–{PAGE_SIZE} of {PAGE_SIZE + 3}" in first
    second = member.get(SESSIONS, {"page": 2}).content.decode()
    assert f"{PAGE_SIZE + 1}–{PAGE_SIZE + 3} of {PAGE_SIZE + 3}" in second
    rows = exported(member)
    assert len(rows) == PAGE_SIZE + 3
    contributions = sum(float(row["Contribution"]) for row in rows)
    assert contributions == sum(range(1, PAGE_SIZE + 4))


def test_a_page_beyond_the_last_is_empty(five_people: Org, member: Client) -> None:
    answer = member.get(SESSIONS, {"page": 99})
    assert answer.status_code == 200
    assert "No rows" in answer.content.decode()


def test_the_panel_is_a_page_of_its_own_without_a_script(five_people: Org, member: Client) -> None:
    page = member.get("/insights/metrics/ai.sessions/how/").content.decode()
    panel = member.get("/insights/metrics/ai.sessions/how/", headers={"HX-Request": "true"}).content.decode()
    assert page.startswith("<!doctype html>")
    assert "<html" not in panel
    assert "Formula" in page
    assert "Formula" in panel


@pytest.mark.parametrize(
    ("query", "beside"),
    [
        ("of=use", {"Days with a session", "Sessions"}),
        ("of=merged", {"PRs before", "Weeks before", "PRs after", "Weeks after"}),
        ("of=use&list=days", set()),
        ("of=use&list=sessions", {"Session"}),
    ],
)
def test_the_panel_of_adoption_leads_to_the_columns_it_has_no_room_for(
    org: Org, member: Client, query: str, beside: set[str]
) -> None:
    took_up = windows.local_today() - timedelta(days=30)
    for number, (name, ago) in enumerate(product(("ada", "grace"), (50, 40, 20, 10))):
        org.push("pull-requests", merged(number + 1, day_before(ago), author=name))
    org.session(by="ada", on=took_up)
    org.fold()
    address = f"/insights/ai/adoption/rows/?{query}"
    panel = member.get(address, headers={"HX-Request": "true"}).content.decode()
    [page_url] = re.findall(r'<a href="([^"]+)">Open as a page', panel)
    page = member.get(html.unescape(page_url)).content.decode()
    assert "Open as a page" not in page
    in_panel, on_page = (re.findall(r'<th scope="col"[^>]*>([^<]+)', body) for body in (panel, page))
    assert in_panel
    assert in_panel == [heading for heading in on_page if heading not in beside]
    assert beside <= {*on_page}


def test_rows_are_sorted_by_value_and_by_every_column_without_a_script(org: Org, member: Client) -> None:
    yesterday = windows.local_today() - timedelta(days=1)
    for name, tokens in (("ada", 500), ("grace", 2000), ("ben", 9)):
        org.session(by=name, on=yesterday, tokens=tokens)
    org.fold()
    page = member.get(SESSIONS).content.decode()
    assert re.findall(r'data-label="Value">([\d,]+)', page) == ["2,000", "500", "9"]
    assert re.findall(r'aria-sort="(\w+)"><a[^>]*>(\w+)', page) == [("descending", "Value")]
    headings = re.findall(r'<th scope="col"[^>]*><a href="([^"]+)"[^>]*>([^<]+)', page)
    assert [label for _, label in headings] == ["Session", "Value", "Developer", "Started"]
    by_label = {label: html.unescape(url) for url, label in headings}
    by_name = member.get(by_label["Developer"]).content.decode()
    assert re.findall(r'data-label="Value">([\d,]+)', by_name) == ["500", "9", "2,000"]
    assert re.findall(r'aria-sort="(\w+)"><a[^>]*>(\w+)', by_name) == [("ascending", "Developer")]
    least_first = member.get(by_label["Value"]).content.decode()
    assert re.findall(r'data-label="Value">([\d,]+)', least_first) == ["9", "500", "2,000"]
    [export] = re.findall(r'href="([^"]+rows\.csv[^"]*)"', least_first)
    assert [row["Contribution"] for row in exported(member, html.unescape(export))] == ["9.0", "500.0", "2000.0"]
    assert member.get(SESSIONS, {"sort": "nothing"}).status_code == 400


def test_the_other_columns_unfold(org: Org, member: Client) -> None:
    org.session(by="ada", on=windows.local_today() - timedelta(days=1))
    org.fold()
    page = member.get(SESSIONS).content.decode()
    [link] = re.findall(r'href="([^"]+)">All columns', page)
    whole = member.get(html.unescape(link)).content.decode()
    labels = [label for _, label in re.findall(r'<th scope="col"[^>]*><a href="([^"]+)"[^>]*>([^<]+)', whole)]
    assert labels[:4] == ["Session", "Value", "Developer", "Started"]
    assert {"Agent", "Model", "Ended"} <= {*labels}
    assert "Claude Code" in whole
    assert "claude_code" not in re.sub(r"<[^>]+>", "", whole), "labels in place of codes"


def test_rows_of_the_numerator_come_first(org: Org, member: Client) -> None:
    failing = windows.local_today() - timedelta(days=3)
    org.session(by="ada", on=failing, tool_calls={"Edit": 3})
    org.session(by="ben", on=failing - timedelta(days=9), tool_calls={"Edit": 2}, failures={"Bash": 1})
    org.fold()
    page = member.get("/insights/metrics/ai.error_rate/rows/").content.decode()
    values = re.findall(r'data-label="Value">([\d,]+) of ([\d,]+)', page)
    assert values[0][0] == "1"
    assert [int(above) for above, _ in values] == sorted((int(above) for above, _ in values), reverse=True)
