"""A shortfall of figures is a line in the section that it affects, in their panel and in the API."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from insights.query import windows
from insights.ui.shortfalls import FAMILIES
from integrations.enums import Kind
from integrations.models import (
    Connection,
    DeployedPullRequest,
    Deployment,
    PipelineRun,
    QuarantinedPayload,
    QuarantinedRecord,
    Repository,
    Silence,
    UnplacedRecord,
    UnreadEvent,
    UnusedNote,
)
from integrations.telemetry.agents.vocabulary import NOTHING
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org
from tests.pages.delivering import deliver
from tests.pages.every_tab import ai_page
from tests.personas import ADMIN, EXECUTIVE, MEMBER, Persona, create_user

pytestmark = pytest.mark.django_db


def client_of(persona: Persona) -> Client:
    client = Client()
    client.force_login(create_user(persona))
    return client


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return " ".join(answer.content.decode().split())


def quarantine_telemetry(records: int) -> None:
    QuarantinedRecord.objects.bulk_create(
        QuarantinedRecord(signal="logs", digest=uuid4(), reason="A clock ahead.", encoding="json", payload=b"{}")
        for _ in range(records)
    )


def quarantine(kind: str, records: int = 1) -> None:
    source, _ = Connection.objects.get_or_create(provider="github", name="Acme on GitHub")
    QuarantinedPayload.objects.bulk_create(
        QuarantinedPayload(connection=source, kind=kind, payload={}, path="title", problem="is no text")
        for _ in range(records)
    )


@pytest.fixture
def yesterday(org: Org) -> str:
    day = windows.local_today() - timedelta(days=1)
    org.session(by="ada", on=day, tokens=10_000, model="a-model-of-our-own")
    org.session(by="ada", on=day, tokens=10_000)
    org.session(by="ada", on=day, session_id="")
    org.fold()
    return day.isoformat()


def section(page: str, name: str) -> str:
    return page.partition(f'id="{name}-shortfalls"')[2].partition("</div>")[0]


def test_a_line_stands_in_the_first_section_that_lacks_it(yesterday: str) -> None:
    quarantine_telemetry(12)
    page = ai_page(client_of(MEMBER))
    assert "1 request to models names no session" in section(page, "adoption")
    assert "12 records of agents wait in quarantine: not understood." in section(page, "adoption")
    assert "10k tokens of models without a known price are not included in costs." in section(page, "spend")
    assert "Missing from Spend, Spend per developer" in section(page, "spend")
    assert "in quarantine" not in section(page, "money")


@pytest.mark.parametrize(
    ("attribute", "sentence"),
    [
        ("gen_ai.usage.cache_hit_tokens", "Partly understood: cached tokens of goose are not read."),
        ("usage.promptTokenCount", "Partly understood: tokens of goose are not read."),
        ("temperature", ""),
    ],
)
def test_unread_tokens_make_figures_partly_understood(yesterday: str, attribute: str, sentence: str) -> None:
    now = timezone.now()
    unread = UnreadEvent.objects.create(agent="goose", attribute=attribute, count=3, first_at=now, last_at=now)
    client = client_of(ADMIN)
    query = f"?range=custom&from={yesterday}&to={windows.local_today() + timedelta(days=1)}"
    page = ai_page(client, query)
    sections = section(page, "spend") + section(page, "usage")
    assert (sentence in sections) if sentence else "Partly understood" not in sections
    unread.means = NOTHING
    unread.save()
    assert "Partly understood" not in ai_page(client, query)


def test_whoever_may_act_gets_a_link_and_others_the_sentence(yesterday: str) -> None:
    quarantine_telemetry(12)
    link = '<a href="/admin/integrations/quarantinedrecord/">Quarantine</a>'
    assert link in section(ai_page(client_of(ADMIN)), "adoption")
    page = ai_page(client_of(MEMBER))
    assert "12 records" in section(page, "adoption")
    assert link not in page


def test_records_of_few_are_not_counted_for_others(yesterday: str) -> None:
    quarantine_telemetry(2)
    Organisation.current()
    Organisation.objects.update(protected_since=timezone.now(), individual_policy=IndividualPolicy.PSEUDONYMS)
    executive = client_of(EXECUTIVE)
    page = ai_page(executive)
    assert "Some records of agents wait in quarantine" in section(page, "adoption")
    assert "2 records" not in page
    [shortfall] = [
        entry
        for entry in executive.get("/api/v1/metrics/ai.tokens/series/").json()["shortfalls"]
        if entry["key"] == "quarantined_telemetry"
    ]
    assert shortfall["count"] is None
    # the tokens of one person are withheld like any figure of one
    assert "tokens of models" not in page


def test_quarantined_records_are_on_the_page_whose_figures_need_them(org: Org) -> None:
    deliver(org)
    quarantine("pull_request", 3)
    quarantine("incident")
    quarantine("pipeline_run", 2)
    member = client_of(MEMBER)
    page = text(member, "/insights/delivery/")
    assert "3 pull requests wait in quarantine: not understood." in section(page, "dora")
    assert "1 incident waits in quarantine: not understood." in section(page, "dora")
    assert "pipeline runs wait" not in page
    efficiency = text(member, "/insights/delivery/efficiency/")
    assert "2 pipeline runs wait in quarantine" in efficiency
    assert "3 pull requests wait" in efficiency  # each tab says what its own figures lack
    assert "<b>3</b><span>pull requests wait" in text(member, "/insights/metrics/pr.throughput/how/")
    assert "3 pull requests wait" in text(member, "/insights/metrics/pr.throughput/")
    assert "in quarantine" not in text(member, "/insights/metrics/ai.tokens/how/")


def test_records_that_could_not_be_placed_are_on_the_page_whose_figures_need_them(org: Org) -> None:
    deliver(org)
    source = Connection.objects.create(provider="jenkins", name="Builds")
    for number in range(3):
        UnplacedRecord.objects.create(
            connection=source,
            kind="deployment",
            external_id=str(number),
            named="example.com/acme/unknown",
            reason="unknown",
            last_seen_at=timezone.now(),
        )
    member = client_of(MEMBER)
    said = "3 deployments name something that no connection knows."
    assert said in section(text(member, "/insights/delivery/"), "dora")
    listed = member.get("/api/v1/metrics/dora.deployment_frequency/series/").json()["shortfalls"]
    assert {"key": "unplaced_deployment_unknown", "count": 3, "sentence": said} in listed
    Connection.objects.filter(pk=source.pk).update(removed_at=timezone.now())
    assert "no connection knows" not in text(member, "/insights/delivery/")


def test_of_a_unit_it_says_that_the_count_is_the_whole_organisations(org: Org) -> None:
    deliver(org)
    org.tree("Engineering")
    quarantine("deployment")
    page = text(client_of(ADMIN), "/insights/delivery/?unit=engineering")
    assert "1 deployment waits in quarantine: not understood (whole organisation)." in section(page, "dora")


def test_unconfirmed_pipelines_merges_before_and_notes_are_said(org: Org) -> None:
    deliver(org)
    at = datetime.combine(windows.local_today() - timedelta(days=3), datetime.min.time(), UTC)
    source = Connection.objects.first()
    shop = Repository.objects.first()
    assert source is not None and shop is not None  # noqa: PT018
    for number in range(4):
        PipelineRun.objects.create(
            connection=source,
            repository=shop,
            external_id=f"run-{number}",
            name="Deploy phoenix",
            status="success",
            finished_at=at,
        )
    stored = DeployedPullRequest.objects.order_by("pk").last()
    assert stored is not None
    DeployedPullRequest.objects.filter(pk=stored.pk).update(predates=True, deployed_on=at.date())
    UnusedNote.objects.create(repository=shop, sha="a" * 40)
    admin = client_of(ADMIN)
    page = text(admin, "/insights/delivery/")
    assert "4 successful pipeline runs may be to production; they count once an admin confirms" in section(page, "dora")
    assert "Value mappings</a>" in section(page, "dora")
    assert "1 pull request merged long before the first known deployment is excluded." in section(page, "dora")
    notes = admin.get("/api/v1/metrics/ai.committed_code_share/series/").json()["shortfalls"]
    assert [entry["count"] for entry in notes if entry["key"] == "unused_notes"] == [1]


@pytest.mark.parametrize("name", ["Deploy phoenix", "Deploy to staging", "Deploy"])
def test_a_repository_whose_pipelines_deploy_and_never_to_production_is_said(org: Org, name: str) -> None:
    deliver(org)
    source = Connection.objects.first()
    assert source is not None
    ship = Repository.objects.create(name="acme/ship")
    at = datetime.combine(windows.local_today() - timedelta(days=3), datetime.min.time(), UTC)
    PipelineRun.objects.create(
        connection=source, repository=ship, external_id="1", name=name, status="success", finished_at=at
    )
    said = "repository runs pipelines that deploy and has no deployment to production"
    admin = client_of(ADMIN)
    link = f"/admin/integrations/connection/{source.pk}/meanings/?subject=deploying"
    for path in ("/insights/delivery/", "/integrations/"):
        page = text(admin, path)
        assert f"1 {said}: acme/ship." in page, path
        assert link in page, path
    assert f"1 {said}." in section(text(client_of(EXECUTIVE), "/insights/delivery/"), "dora")
    Deployment.objects.create(
        connection=source, repository=ship, external_id="D1", environment="production", status="success", finished_at=at
    )
    assert said not in text(admin, "/integrations/")


def test_a_silence_is_said_where_its_figures_are(yesterday: str) -> None:
    Silence.objects.create(
        agent="claude_code", version="2.2.0", signal="lines", since="2026-01-02", people=1, sessions=3
    )
    member = client_of(MEMBER)
    page = ai_page(member)
    assert "Claude Code 2.2.0 sends no generated lines since 2 Jan 2026." in page
    assert "Claude Code 2.2.0" not in ai_page(member, "?agent=codex")
    assert "Claude Code 2.2.0" not in text(member, "/insights/metrics/ai.spend/how/")
    Silence.objects.update(ended_at=timezone.now())
    assert "sends no generated lines" not in ai_page(member)


def test_api_and_command_list_the_same(yesterday: str, capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import call_command

    quarantine_telemetry(12)
    listed = client_of(ADMIN).get("/api/v1/metrics/ai.spend/series/").json()["shortfalls"]
    assert {entry["key"]: entry["count"] for entry in listed} == {
        "unpriced_tokens": 10_000,
        "quarantined_telemetry": 12,
    }
    capsys.readouterr()
    call_command("metric", "ai.spend", "--json")
    assert json.loads(capsys.readouterr().out)["shortfalls"] == listed


def test_every_kind_of_records_says_which_figures_need_it() -> None:
    assert set(FAMILIES) == set(Kind)


def test_where_nothing_is_missing_nothing_is_said(org: Org) -> None:
    org.session(by="ada", on=windows.local_today() - timedelta(days=1))
    org.fold()
    assert "hw-shortfalls" not in ai_page(client_of(ADMIN))
