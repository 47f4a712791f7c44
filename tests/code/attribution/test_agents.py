"""How agents sign."""

from __future__ import annotations

import pytest

from integrations.connectors.git.agent_signatures import agent_of_signature, agent_of_trailer, is_bot


@pytest.mark.parametrize(
    ("name", "email", "agent"),
    [
        ("Claude", "noreply@anthropic.com", "claude_code"),
        ("Claude Opus 4.5", "NoReply@Anthropic.com", "claude_code"),
        ("GPT-5.6", "noreply@anthropic.com", "claude_code"),
        ("claude[bot]", "209825114+claude[bot]@users.noreply.github.com", "claude_code"),
        ("Copilot", "223556219+Copilot@users.noreply.github.com", "copilot"),
        ("Copilot", "198982749+Copilot@users.noreply.github.com", "copilot"),
        ("Copilot", "copilot@github.com", "copilot"),
        ("copilot-swe-agent[bot]", "198982749+copilot-swe-agent[bot]@users.noreply.github.com", "copilot"),
        ("Cursor", "cursoragent@cursor.com", "cursor"),
        ("cursor[bot]", "206951365+cursor[bot]@users.noreply.github.com", "cursor"),
        ("Codex", "noreply@openai.com", "codex"),
        ("chatgpt-codex-connector[bot]", "", "codex"),
        ("gemini-cli", "218195315+gemini-cli@users.noreply.github.com", "gemini"),
        ("google-labs-jules[bot]", "161369871+google-labs-jules[bot]@users.noreply.github.com", "jules"),
        ("devin-ai-integration[bot]", "158243242+devin-ai-integration[bot]@users.noreply.github.com", "devin"),
        ("aider (gpt-5)", "aider@aider.chat", "aider"),
        ("Ada Example (aider)", "ada@example.com", "aider"),
        ("Amp", "amp@ampcode.com", "amp"),
        ("Ada Example", "ada@example.com", ""),
        ("Claude Monet", "claude@example.com", ""),
        ("Claude", "claude@users.noreply.github.com.example.com", ""),
    ],
)
def test_the_address_decides_which_agent_signed(name: str, email: str, agent: str) -> None:
    assert agent_of_signature(name, email) == agent


@pytest.mark.parametrize(
    ("key", "value", "agent"),
    [
        ("Claude-Session", "https://claude.ai/code/session_1", "claude_code"),
        ("Agent-Logs-Url", "https://example.com/logs", "copilot"),
        ("Amp-Thread-ID", "T-1", "amp"),
        ("Made-with", "Cursor", "cursor"),
        ("Made-with", "Love", ""),
        ("Assisted-by", "Claude:claude-opus-4.5", "claude_code"),
        ("Assisted-by", "GitHub Copilot", "copilot"),
        ("Assisted-by", "Ben Example <ben@example.com>", ""),
        ("Generated-by", "Gemini CLI 1.2", "gemini"),
        ("Reviewed-by", "Claude <noreply@anthropic.com>", ""),
    ],
)
def test_trailers_that_give_an_agent_away(key: str, value: str, agent: str) -> None:
    assert agent_of_trailer(key, value) == agent


@pytest.mark.parametrize(
    ("name", "email", "bot"),
    [
        ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", True),
        ("Renovate Bot", "29139614+renovate[bot]@users.noreply.github.com", True),
        ("Claude", "noreply@anthropic.com", True),
        ("Ada Example", "1+ada@users.noreply.github.com", False),
    ],
)
def test_bots_are_known_by_their_logins(name: str, email: str, bot: bool) -> None:
    assert is_bot(name, email) is bot
