"""Vocabularies of the supported agents, one file each."""

from __future__ import annotations

from collections.abc import Iterable

from integrations.telemetry.agents.claude_code import CLAUDE_CODE
from integrations.telemetry.agents.cline import CLINE
from integrations.telemetry.agents.codex import CODEX
from integrations.telemetry.agents.copilot import COPILOT
from integrations.telemetry.agents.gemini_cli import GEMINI_CLI
from integrations.telemetry.agents.gen_ai import generic_vocabulary
from integrations.telemetry.agents.qwen_code import QWEN_CODE
from integrations.telemetry.agents.vocabulary import Vocabulary

VOCABULARIES = (CLAUDE_CODE, CODEX, COPILOT, GEMINI_CLI, QWEN_CODE, CLINE)


def vocabulary_of(service_name: str, *, scope: str = "", names: Iterable[str] = ()) -> Vocabulary:
    """The vocabulary of records by their instrumentation scope, else by their own names, else by `service.name`.

    The program itself sets the first two, while an organisation or a collector may set the last.  `names` are those of
    events, spans or metrics, and are only read if the scope is not conclusive.
    """
    for vocabulary in VOCABULARIES:
        if vocabulary.scope.fullmatch(scope):
            return vocabulary
    for name in names:
        for vocabulary in VOCABULARIES:
            if name.startswith(vocabulary.own_prefixes):
                return vocabulary
    for vocabulary in VOCABULARIES:
        if vocabulary.service.match(service_name):
            return vocabulary
    return generic_vocabulary(service_name)


def vocabulary_of_agent(slug: str) -> Vocabulary:
    for vocabulary in VOCABULARIES:
        if vocabulary.agent == slug:
            return vocabulary
    return generic_vocabulary(slug)
