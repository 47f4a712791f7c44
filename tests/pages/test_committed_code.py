"""The pages about committed code, over a hand-made repository whose history tries to break them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from insights.columns.refresh import refresh
from insights.pages.ai.page import AI
from integrations.code.attribution.tasks import attribute_pending
from integrations.models import AgentSession, Commit, CommitEvidence, Repository, RepositorySource, SyncRun
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from orgtree.models import Organisation
from tests.code.git.repositories import BEN, Repo
from tests.org import Org
from tests.pages.every_tab import ai_page
from tests.pages.test_ai_page import MOST_QUERIES, OF_COMMITS, tile
from tests.stored_once import StoreOnce

CLAUDE = "Co-Authored-By: Claude <noreply@anthropic.com>"
HOSTILE = "<script>alert('x')</script>"
FORMULA = '=HYPERLINK("http://example.com")'
MALLORY = f"Mallory {HOSTILE} <mallory@example.com>"


def recently() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=6)


@pytest.fixture(scope="module")
def read_source(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RepositorySource]:
    with stored_once(lambda: create_source(tmp_path_factory.mktemp("repositories"))) as source:
        yield source


@pytest.fixture
def source(read_source: RepositorySource, db: None) -> RepositorySource:
    """As it is stored, whatever a test before wrote into its object."""
    return RepositorySource.objects.get(pk=read_source.pk)


def create_source(folder: Path) -> RepositorySource:
    """Ten lines by Ada with an agent, thirty by Ben without, and what a hostile author can put into a history."""
    repo, first = Repo.create(folder / "shop"), recently()
    repo.commit({"shop.py": "a = 1\n" * 10}, f"Add a shop\n\n{CLAUDE}", at=first)
    repo.commit({"till.py": "b = 2\n" * 30}, "Add a till", by=BEN, at=first + timedelta(hours=1))
    repo.commit({f"{HOSTILE}.md": "text\n"}, f"Say {HOSTILE}\n\n{CLAUDE}", by=MALLORY, at=first + timedelta(hours=2))
    repo.commit({"x.py": "c = 3\n"}, FORMULA, by=BEN, at=first + timedelta(hours=3))
    source = connect_git(repo.path, name="shop")
    sync(source)
    return source


def sync(source: RepositorySource) -> SyncRun:
    source.refresh_from_db()
    run = sync_source(source)
    attribute_pending()
    return run


def commit_of(subject: str) -> Commit:
    return Commit.objects.get(subject=subject)


def page(client: Client, address: str, **parameters: str) -> str:
    answer = client.get(address, parameters)
    assert answer.status_code == 200, answer.content[:300]
    return " ".join(answer.content.decode().split())


def test_a_repository_alone_fills_the_ai_page(source: RepositorySource, member: Client) -> None:
    html = " ".join(ai_page(member).split())
    assert "26.2 %" in tile(html, "ai.committed_code_share")  # 11 of 42 lines
    assert "11 of 42 lines" in tile(html, "ai.committed_code_share")
    assert " 11 " in tile(html, "ai.lines_committed")
    assert "0 of 1 repository" in tile(html, "ai.enabled_repositories")
    assert "Connect your first agent" not in html


def test_charts_of_commits_are_json_and_csv(source: RepositorySource, member: Client) -> None:
    assert AI.charts.keys() > OF_COMMITS
    by_language = json.loads(member.get("/insights/ai/charts/committed_code/").content)
    assert {series["label"]: series["data"] for series in by_language["datasets"]} == {"Python": [10], "Markdown": [1]}
    by_type = json.loads(member.get("/insights/ai/charts/committed_code/", {"code": "file_type"}).content)
    assert {series["label"] for series in by_type["datasets"]} == {"Code", "Documentation"}
    share = json.loads(member.get("/insights/ai/charts/committed_share/").content)
    assert [value for value in share["datasets"][0]["data"] if value]
    lines = member.get("/insights/ai/charts/lines_by_agent.csv").getvalue().decode("utf-8-sig").splitlines()
    assert lines[1].startswith("Claude Code,11")


def test_a_figure_that_rests_on_trailers_says_so(source: RepositorySource, member: Client) -> None:
    html = page(member, "/insights/metrics/ai.lines_committed/how/")
    assert "trailer or signature 100%" in html
    assert "by evidence" in html


@pytest.mark.parametrize("address", ["/insights/ai/attribution/", "/insights/ai/repositories/", "/insights/ai/"])
def test_pages_ask_few_queries_whatever_there_is(source: RepositorySource, member: Client, address: str) -> None:
    refresh()
    page(member, address)
    with CaptureQueriesContext(connection) as queries:
        page(member, address)
    if address != "/insights/ai/":  # what it computes from facts stands apart: tests/pages/test_ai_page.py
        assert len(queries) <= MOST_QUERIES, "\n".join(" ".join(str(q["sql"]).split())[:110] for q in queries)


def test_a_commit_is_explained_within_the_same_number(source: RepositorySource, member: Client) -> None:
    sha = commit_of("Add a shop").sha
    with CaptureQueriesContext(connection) as queries:
        html = page(member, f"/insights/ai/attribution/{sha}/")
    assert len(queries) <= MOST_QUERIES
    assert "1–1 of 1" in html
    for text in ("Counts", "Trailer or signature", "Decided", "shop.py", "100% of its added lines, an upper bound"):
        assert text in html


def test_nothing_of_a_history_runs_in_the_page(source: RepositorySource, member: Client) -> None:
    hostile = Commit.objects.get(subject__contains="script")
    for address in (
        *("/insights/ai/attribution/", f"/insights/ai/attribution/{hostile.sha}/", "/insights/ai/repositories/"),
        *("/insights/metrics/ai.lines_committed/rows/", "/setup/repositories/", "/insights/ai/"),
    ):
        html = page(member, address)
        assert "<script>alert" not in html
    assert "&lt;script&gt;" in page(member, f"/insights/ai/attribution/{hostile.sha}/")


def test_nothing_of_a_history_is_a_formula_in_a_spreadsheet(source: RepositorySource, member: Client) -> None:
    text = member.get("/insights/ai/attribution.csv").getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 4
    assert f"'{FORMULA}" in [row["Subject"] for row in rows]
    assert sum(int(row["AI lines"]) for row in rows) == 11


def test_a_prefix_leads_to_its_commit(source: RepositorySource, member: Client) -> None:
    sha = commit_of("Add a shop").sha
    answer = member.get("/insights/ai/attribution/", {"q": sha[:12].upper()})
    assert answer["Location"] == f"/insights/ai/attribution/{sha}/"
    assert "No commit matches" in page(member, "/insights/ai/attribution/", q="0000000000")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("q", "not hexadecimal"), ("q", "abc"), ("page", "0"), ("page", "x"), ("method", "guess"), ("set_apart", "often")],
)
def test_a_wrong_parameter_is_named(source: RepositorySource, member: Client, parameter: str, value: str) -> None:
    answer = member.get("/insights/ai/attribution/", {parameter: value})
    assert answer.status_code == 400
    assert parameter in answer.content.decode()


def test_the_list_can_be_narrowed(source: RepositorySource, member: Client) -> None:
    def listed(**chosen: str) -> int:
        return page(member, "/insights/ai/attribution/", **chosen).count("stick hw-commit")

    assert listed() == 4
    assert listed(agent="claude_code") == 2
    assert listed(agent="none") == 2
    assert listed(method="note") == 0
    assert listed(repository="shop", set_apart="counted") == 4
    assert listed(set_apart="merge") == 0


def test_a_commit_and_its_duplicate_link_to_one_another(source: RepositorySource, member: Client) -> None:
    counted, duplicate = commit_of("Add a shop"), commit_of("Add a till")
    Commit.objects.filter(pk=duplicate.pk).update(duplicate_of=counted, exclusion_reason="duplicate")
    of_counted = page(member, f"/insights/ai/attribution/{counted.sha}/")
    assert "1 duplicate of it is excluded:" in of_counted
    assert f'<a href="/insights/ai/attribution/{duplicate.sha}/">' in of_counted
    of_duplicate = page(member, f"/insights/ai/attribution/{duplicate.sha}/")
    assert "Counted instead:" in of_duplicate
    assert f'<a href="/insights/ai/attribution/{counted.sha}/">' in of_duplicate


def test_withdrawn_evidence_stays_visible(source: RepositorySource, member: Client) -> None:
    commit = commit_of("Add a shop")
    CommitEvidence.objects.filter(commit=commit).update(withdrawn_at=recently())
    assert "Withdrawn on" in page(member, f"/insights/ai/attribution/{commit.sha}/")


def test_under_pseudonyms_a_commit_is_its_authors_alone(source: RepositorySource, member: Client) -> None:
    organisation = Organisation.current()
    Organisation.objects.filter(pk=organisation.pk).update(protected_since=recently())
    html = page(member, "/insights/ai/attribution/")
    assert html.count("stick hw-commit") == 1
    assert "Your own commits." in html
    assert member.get(f"/insights/ai/attribution/{commit_of('Add a shop').sha}/").status_code == 200
    till = commit_of("Add a till").sha
    assert member.get(f"/insights/ai/attribution/{till}/").status_code == 404
    assert till not in member.get("/insights/ai/attribution.csv").getvalue().decode()


def test_the_readiness_page_says_what_to_do(source: RepositorySource, member: Client, org: Org) -> None:
    for _ in range(5):
        org.session(by="ada", on=recently().date(), at="09:00", tokens=10_000, output=1_000, lines=50)
    org.fold()
    AgentSession.objects.update(repository=Repository.objects.get(name="shop"))
    html = page(member, "/insights/ai/repositories/")
    assert "Add AGENTS.md or CLAUDE.md" in html
    for sort in ("repository", "-context_files", "wasted_share", "-ai_share"):
        page(member, "/insights/ai/repositories/", sort=sort)
    assert member.get("/insights/ai/repositories/", {"sort": "size"}).status_code == 400
    rows = csv.DictReader(io.StringIO(member.get("/insights/ai/repositories.csv").getvalue().decode("utf-8-sig")))
    line = next(row for row in rows if row["Repository"] == "shop")
    assert (line["Commits"], line["Sessions"]) == ("4.0", "5.0")


def test_rows_lead_to_the_commit(source: RepositorySource, member: Client) -> None:
    sha = commit_of("Add a shop").sha
    html = page(member, "/insights/metrics/ai.lines_committed/rows/")
    assert f'href="/insights/ai/attribution/{sha}/"' in html
    assert sha in member.get("/insights/metrics/ai.lines_committed/rows.csv").getvalue().decode()


def test_commits_whose_lines_are_unknown_are_counted_where_they_come_from(
    source: RepositorySource, member: Client
) -> None:
    commit = commit_of("Add a till")
    Commit.objects.filter(pk=commit.pk).update(lines_known=False)
    assert "The lines of 1 commit are unknown, not zero" in page(member, "/setup/repositories/")
    assert "Its lines are unknown, not zero" in page(member, f"/insights/ai/attribution/{commit.sha}/")


def test_members_see_connections_and_change_none(source: RepositorySource, member: Client) -> None:
    html = page(member, "/setup/repositories/")
    assert "connect_git" in html
    assert "4 commits known" in html
    assert "Read now" not in html
    for posted in ({"path": "/srv/git"}, {"read": str(source.pk)}):
        assert member.post("/setup/repositories/", posted).status_code == 403
