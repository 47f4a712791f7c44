"""Every metric, chart and selector that the product promises is on its tab, two clicks from the Overview."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from django.test import Client

from integrations.code.attribution.tasks import attribute_pending
from tests.org import Org
from tests.pages.delivering import day_before
from tests.pages.eventful_shop import tell_of_everything
from tests.personas import EXECUTIVE, Persona
from tests.stored_once import StoreOnce
from tests.teams import OTHERS_IN_PLATFORM, create_teams

PART = re.compile(r'"(/insights/(?:ai|delivery)/parts/[^"]+)"')
WHOLE_PICKERS = ("range=4w", "range=8w", "range=26w", "range=52w", "range=quarter", "granularity=month")

# Tab → metrics whose computation it opens, charts that it draws, and parameters that its selectors set.
PROMISED: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "ai/": (
        ("ai.active_developers", "ai.committed_code_share", "ai.spend", "pr.cycle_time"),
        ("spend_trend", "cycle_time"),
        WHOLE_PICKERS,
    ),
    "ai/adoption/": (
        (
            *("ai.adoption_rate", "ai.active_developers", "ai.sessions", "ai.sessions_per_developer"),
            *("ai.committed_code_share", "ai.lines_committed", "ai.session_duration", "ai.active_share"),
            *("ai.active_share_by_agent", "ai.committed_breakdown"),
        ),
        ("adoption", "active_share", "active_by_agent", "committed_code"),
        ("developers=licensed", "developers=everybody", "code=file_type"),
    ),
    "ai/impact/": (
        ("ai.committed_code_share", "pr.cycle_time", "pr.merged_per_developer", "work.delivered_per_developer"),
        ("committed_share", "cycle_time", "merged_per_developer", "delivered"),
        (
            *("cycle=mean", "cycle=p90", "cycle=p95", "work=feature", "work=bug", "work=other"),
            *("line=claude_code", "code_of=enrolled"),
        ),
    ),
    "ai/spend/": (
        (
            *("ai.spend", "ai.spend_per_developer", "ai.spend_per_commit", "ai.spend_wasted", "ai.reported_cost"),
            *("ai.spend_per_merged_pr", "ai.spend_per_item", "ai.spend_by_part", "ai.pr_fate"),
        ),
        ("spend_trend", "spend_breakdown", "spend_parts"),
        (
            *("trend=model", "trend=work_type", "breakdown=repository", "breakdown=model", "breakdown=work_type"),
            *("part=sub_agent", "part=plugin", "part=mcp_server", "part=effort", "part=query_source", "part=provider"),
        ),
    ),
    "ai/usage/": (
        ("ai.cache_hit_rate", "ai.error_rate", "ai.tokens", "ai.ship_rate", "ai.enabled_repositories"),
        ("tokens_by_kind",),
        (),
    ),
    "ai/developers/": ((), (), ("rank_by=spend", "rank_by=wasted")),
    "delivery/": (
        (
            *("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time"),
            "dora.rework_rate",
        ),
        (),
        ("statistic=mean", "statistic=p75", "statistic=p90", "statistic=p95", *WHOLE_PICKERS),
    ),
    "delivery/lead-time/": ((), ("stages", "spread"), ("statistic=p90",)),
    "delivery/efficiency/": (
        (
            *("pr.cycle_time", "pr.pickup_time", "pr.review_time", "pr.throughput", "issue.cycle_time"),
            *("pr.coding_time", "pr.merge_time", "review.given_per_developer", "commit.frequency", "wip.count"),
            *("issue.lead_time", "flow.efficiency", "wip.age", "delivery.idea_to_production", "ci.duration"),
            *("ci.queue_time", "ci.success_rate", "ci.flaky_rate", "ci.wait_per_pull_request"),
        ),
        ("cycle_time", "throughput", "wip"),
        ("cycle=assistance", "cycle=work_type", "merged=assistance", "merged=size_class"),
    ),
    "delivery/quality/": (
        (
            *("incident.count", "incident.mttr", "bug.ratio", "code.rework_rate", "pr.revert_rate", "bug.escaped"),
            *("bug.fix_rate", "bug.reopen_rate", "code.refactor_rate", "incident.count_per_deployment"),
        ),
        ("failures", "incidents", "bugs"),
        (),
    ),
    "delivery/hygiene/": (
        (
            *("pr.size", "pr.review_depth", "pr.unreviewed_rate", "pr.self_merged_rate", "pr.linked_rate"),
            *("pr.complexity", "pr.stale_count", "review.load_concentration", "backlog.age", "backlog.health"),
            "branch.stale_count",
        ),
        ("size", "review_depth", "gaps"),
        (),
    ),
}


@pytest.fixture(scope="module")
def shop(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    def make() -> None:
        create_teams()
        org = Org(tmp_path_factory.mktemp)
        tell_of_everything(org, tmp_path_factory.mktemp("shop"))
        for name in ("ada", *OTHERS_IN_PLATFORM, "grace"):
            org.session(by=name, on=day_before(6), at="09:00", tokens=1000, lines=100, failures={"Bash": 1})
            org.commit(by=name, on=day_before(6), at="09:20", lines=100)
        org.fold()
        attribute_pending()

    with stored_once(make):
        yield


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("tab", PROMISED)
def test_a_tab_has_what_was_promised(tab: str, sign_in: Callable[[Persona], Client]) -> None:
    client = sign_in(EXECUTIVE)

    @cache
    def page(address: str) -> str:
        answer = client.get(address)
        assert answer.status_code == 200, address
        return html.unescape(answer.content.decode())

    start = f"/insights/{tab.partition('/')[0]}/"
    assert f'href="/insights/{tab}?' in page(start) or f'href="/insights/{tab}"' in page(start), "one click away"
    shown = page(f"/insights/{tab}")
    shown += "".join(page(address) for address in sorted(set(PART.findall(shown))))
    metrics, charts, parameters = PROMISED[tab]
    missing = [key for key in metrics if f"/metrics/{key}/" not in shown]
    missing += [name for name in charts if f'id="chart-{name}"' not in shown]
    missing += [pair for pair in parameters if not re.search(rf"[?&]{re.escape(pair)}[&\"]", shown)]
    assert missing == []
