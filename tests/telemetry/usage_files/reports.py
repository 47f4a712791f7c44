"""Output of ccusage 20.0.24, shortened: `ccusage … --json --offline` over made-up transcripts."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def numbers(sent: int, cached: int, written: int, answered: int, **more: Any) -> Json:
    counts = {
        "inputTokens": sent,
        "cacheReadTokens": cached,
        "cacheCreationTokens": written,
        "outputTokens": answered,
    }
    return {**counts, **more}


SONNET = numbers(100_000, 10_000, 25_000, 5_000, modelName="claude-sonnet-4-5", cost=0.47175)
HAIKU = numbers(20_000, 0, 0, 1_000, modelName="claude-haiku-4-5-20251001", cost=0.025)

CLAUDE_DAILY: Json = {
    "daily": [
        {
            **numbers(120_000, 10_000, 25_000, 6_000),
            "date": "2026-03-09",
            "modelBreakdowns": [SONNET, HAIKU],
            "modelsUsed": ["claude-sonnet-4-5", "claude-haiku-4-5-20251001"],
            "totalCost": 0.49675,
            "totalTokens": 161_000,
        },
        {
            **numbers(100_000, 10_000, 25_000, 5_000),
            "date": "2026-03-10",
            "modelBreakdowns": [SONNET],
            "modelsUsed": ["claude-sonnet-4-5"],
            "totalCost": 0.47175,
            "totalTokens": 140_000,
        },
    ],
    "totals": numbers(220_000, 20_000, 50_000, 11_000, totalCost=0.9685, totalTokens=301_000),
}
CLAUDE_SESSIONS: Json = {
    "sessions": [
        {
            **numbers(100_000, 10_000, 25_000, 5_000),
            "firstActivity": "2026-03-09T10:00:00.000Z",
            "lastActivity": "2026-03-10T09:15:00.000Z",
            "modelBreakdowns": [SONNET],
            "projectPath": "project-alpha",
            "sessionId": "0f55df90-0882-4546-b159-26cafde226b1",
            "totalCost": 0.47175,
        }
    ],
    "totals": {},
}
BLOCKS: Json = {
    "blocks": [
        {
            "actualEndTime": "2026-03-09T12:30:00.000Z",
            "costUSD": 0.47175,
            "endTime": "2026-03-09T15:00:00.000Z",
            "id": "2026-03-09T10:00:00.000Z",
            "isGap": False,
            "models": ["claude-sonnet-4-5"],
            "startTime": "2026-03-09T10:00:00.000Z",
            "tokenCounts": {
                "cacheCreationInputTokens": 25_000,
                "cacheReadInputTokens": 10_000,
                "inputTokens": 100_000,
                "outputTokens": 5_000,
            },
        },
        {"isGap": True, "id": "gap", "models": [], "startTime": "2026-03-09T17:30:00.000Z", "tokenCounts": {}},
    ]
}
CODEX_SESSIONS: Json = {
    "sessions": [
        {
            **numbers(2750, 750, 0, 425, costUSD=0.01089375, reasoningOutputTokens=275, totalTokens=4200),
            "lastActivity": "2026-05-14T10:00:00.000Z",
            "models": {
                "gpt-5.2-codex": numbers(750, 250, 0, 125, isFallback=False, reasoningOutputTokens=75),
                "gpt-5.3-codex": numbers(2000, 500, 0, 300, isFallback=False, reasoningOutputTokens=200),
            },
            "sessionId": "2026/05/14/rollout-2026-05-14T09-00-00-01a1f79f-8d3e-7710-b87e-42dd09705a90",
        }
    ],
    "totals": {},
}
ALL_SESSIONS: Json = {
    "session": [
        {
            **numbers(7506, 45_018, 1917, 1416),
            "agent": "copilot",
            "metadata": {"lastActivity": "2026-11-20T06:23:48.726Z"},
            "modelBreakdowns": [numbers(7506, 45_018, 1917, 1416, modelName="claude-sonnet-4.5", cost=0.06445215)],
            "period": "4cbe1860-bc62-46db-9216-bf695ae09340",
        }
    ],
    "totals": {},
}
ALL_DAILY: Json = {
    "daily": [
        {
            **numbers(15_012, 90_036, 1917, 2832),
            "agent": "all",
            "metadata": {"agents": ["copilot", "gemini"]},
            "modelBreakdowns": [],
            "period": "2026-11-20",
        }
    ],
    "totals": {},
}
PROJECTS: Json = {
    "projects": {
        "project-alpha": [{"date": "2026-03-09", "modelBreakdowns": [SONNET], "totalCost": 0.47175}],
        "project-beta": [{"date": "2026-03-09", "modelBreakdowns": [SONNET], "totalCost": 0.47175}],
    },
    "totals": {},
}
MONTHLY: Json = {"monthly": [{**numbers(1, 2, 3, 4), "month": "2026-03", "modelBreakdowns": [SONNET]}], "totals": {}}
