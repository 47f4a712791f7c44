"""Signatures of agents."""

from __future__ import annotations

import pytest

from integrations.connectors.git.agent_signatures import (
    AGENT_NAMES,
    agent_of_signature,
    agent_of_trailer,
    agents_of_message,
    is_bot,
    squash_parts,
)

CLAUDE = "Co-Authored-By: Claude Opus 4.8 <noreply@anthropic.com>"
GENERATED = "🤖 Generated with [Claude Code](https://claude.com/claude-code)"


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
        ("factory-droid[bot]", "138933559+factory-droid[bot]@users.noreply.github.com", "droid"),
        ("Windsurf", "noreply@windsurf.com", "windsurf"),
        ("Qwen-Coder", "qwen-coder@alibabacloud.com", "qwen_code"),
        ("Jules", "jules@google.com", "jules"),
        ("Junie", "junie@jetbrains.com", "junie"),
        ("Crush 💘", "crush@charm.land", "crush"),
        ("opencode-agent[bot]", "1+opencode-agent[bot]@users.noreply.github.com", "opencode"),
        # An agent that calls itself by a person's name is that agent.
        ("Ada Example", "noreply@openai.com", "codex"),
        # A tool's or a model's name is no person's, whatever the address.
        ("GitHub Copilot", "noreply@github.com", "copilot"),
        ("Claude Opus 4.8 (1M context)", "bot@example.com", "claude_code"),
        ("GPT-5.4", "ai@example.com", "codex"),
        ("Claude Sonnet 5", "ada+claude-code@example.com", "claude_code"),
        # A short one is, unless its maker or a tag says so.
        ("Oz", "oz-agent@warp.dev", "warp"),
        ("Claude", "ada+claude@example.com", "claude_code"),
        ("Ada Example", "ada@anthropic.com", ""),
        ("Ada Example", "ada+claude@example.com", ""),
        ("Claude", "81847+claude@users.noreply.github.com", ""),
        ("Ada Example", "ada@example.com", ""),
        ("Claude Monet", "claude@example.com", ""),
        ("Devin", "devin@example.com", ""),
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
        ("Assisted-by", "Claude:claude-4.5-sonnet [coccinelle] [sparse]", "claude_code"),
        ("Assisted-by", "Claude/claude-fable-5", "claude_code"),
        ("Assisted-by", "copilot-cli:claude-opus-4.6", "copilot"),
        ("Assisted-by", "OpenAI/gpt-5.4-codex", "codex"),
        ("Assisted-by", "Qoder (Qwen 3.5 Max)", "qoder"),
        ("Generated-by", "Claude Opus 5 (1M context)", "claude_code"),
        ("Generated-by", "Claude Code 2.1.230", "claude_code"),
        ("Co-authored-by", "Claude", "claude_code"),
        ("Co-authored-by", "gemini-code-assist", "gemini"),
        ("Co-Authored-By", "ClaudeCode noreply@anthropic.com", "claude_code"),
        ("Co-authored-by", "Jules", ""),
        ("Co-authored-by", "Jules Verne <jules@example.com>", ""),
        ("Co-developed-by", "Claude claude-opus-4", "claude_code"),
        ("Replit-Commit-Author", "Agent", "replit"),
        ("Replit-Commit-Author", "Deployment", ""),
        ("Assisted-by", "Claude Dupont <claude.dupont@example.com>", ""),
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


def test_every_agent_of_the_list_has_a_name_and_there_are_many() -> None:
    assert len(AGENT_NAMES) >= 35
    assert all(AGENT_NAMES.values())


@pytest.mark.parametrize(
    ("message", "agents"),
    [
        (f"Add it\n\nWhy.\n\n{GENERATED}\n{CLAUDE}", ("claude_code",)),
        (f"Add it\n\nWhy.\n\n{CLAUDE}\n\nCloses #15", ("claude_code",)),
        (f"Add it\n\nWhy.\n\n{CLAUDE}\n\nChange-Id: I123", ("claude_code",)),
        (f"Add it\n\nIt is needed for the next step\nof the migration.\n{CLAUDE}", ("claude_code",)),
        (f"Add it\r\n\r\nWhy.\r\n\r\n{CLAUDE}\r\n\r\nCloses #15\r\n", ("claude_code",)),
        (f"Add it\n\nWhy.\n\n{GENERATED}", ("claude_code",)),
        ("Add it\n\n💘 Generated with Crush\n\nWhy.", ("crush",)),
        (f"Squashed commit of the following:\n\ncommit {'a' * 40}\n\n    Add it\n\n    {CLAUDE}\n", ("claude_code",)),
        # What is quoted is no evidence.
        (f"Describe our rules\n\nWe end so:\n\n    {CLAUDE}\n\nand mean it.", ()),
        (f"Describe our rules\n\n```\n{CLAUDE}\n```\n\nand mean it.", ()),
        (f'Revert "Add it"\n\nThis reverts commit {"1" * 40}.\n\n> {CLAUDE}\n\nIt broke the build.', ()),
        (f'Revert "Add it"\n\nThis reverts commit {"1" * 40}.\n\n{CLAUDE}\n\nIt broke the build.', ()),
        (f"Add it again\n\nOriginal commit message:\n\nAdd it\n\n{CLAUDE}\n\nCloses #1", ()),
        ("Remove what was generated by Replit\n\nIgnore files generated by Replit\n", ()),
        ("Add it\n\nCo-authored-by: Ben Example <ben@example.com>\n\nCloses #15", ()),
        ("Add\n\nCo-Authored-By: Claude MPM <https://github.com/bobmatnyc/claude-mpm>\n\nMore", ("claude_code",)),
        ("Add\n\nCo-Authored-By: Cursor Composer <https://cursor.com>\n", ("cursor",)),
        ("Add\n\nCo-Authored-By: Ada Example <https://example.com/ada>\n", ()),
        ("Add\n\n🤖👥 Generated with [Claude MPM](https://github.com/bobmatnyc/claude-mpm)", ("claude_code",)),
        ("Add\n\nX-AI-Model: claude-opus-4-8\nX-AI-Tokens-In: 12\n", ("claude_code",)),
    ],
)
def test_an_agents_trailer_counts_wherever_it_stands_unless_it_is_quoted(message: str, agents: tuple[str, ...]) -> None:
    assert agents_of_message(message) == agents


@pytest.mark.parametrize(
    ("message", "signed", "of"),
    [
        (f"Add it (pull request #13)\n\n* Add it\n\n{CLAUDE}\n\n* Mend a typo\n", 1, 2),
        (f"Add it (#3)\n\n* Add\n\n* Test\n\n* Mend\n\n{CLAUDE}\n\n---------\n\n{CLAUDE}", 1, 3),
        (
            f"Squashed commit of the following:\n\ncommit {'a' * 40}\n\n    Add\n\n    {CLAUDE}\n\ncommit {'b' * 40}",
            1,
            2,
        ),
        (f"Add it (#3)\n\n* Add\n\n* Test\n\n{CLAUDE}", 0, 0),  # whose it is cannot be known
        (f"Add it (#3)\n\n* Add\n\n* Test\n\n---------\n\n{CLAUDE}", 0, 0),
        (f"Add it\n\n* Add\n\n{CLAUDE}\n\n* Test", 0, 0),  # no squash: somebody's list
    ],
)
def test_the_parts_of_a_squashs_message_say_how_many_the_agent_signed(message: str, signed: int, of: int) -> None:
    parts = squash_parts(message)
    assert (parts.signed["claude_code"], parts.count) == (signed, of) if parts else not of
