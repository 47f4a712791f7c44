"""The parts by which a request's spend is split: skill, sub-agent, plugin, MCP server, effort, query source, provider.

Parts are names, never content; longer values and values with line breaks are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from integrations.enums import RequestPart
from integrations.models.sessions import LONGEST_PART
from integrations.telemetry.agents.values import Attributes

# Names from conventions, agents and gateways.  https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/
_PROVIDERS = {
    **dict.fromkeys(("aws.bedrock", "aws_bedrock", "amazon-bedrock", "bedrock", "bedrock-runtime"), "bedrock"),
    **dict.fromkeys(("gcp.vertex_ai", "vertex_ai", "vertex-ai", "vertexai", "vertex", "google-vertex"), "vertex"),
    **dict.fromkeys(("azure.ai.openai", "azure.ai.inference", "azure_openai", "azure", "foundry"), "azure"),
    **dict.fromkeys(("litellm", "openrouter", "gateway", "cloudflare", "portkey", "vercel"), "gateway"),
    # The name of the vendor's own interface.
    **dict.fromkeys(
        ("firstparty", "anthropic", "openai", "gcp.gemini", "gcp.gen_ai", "gemini", "gemini-api-key"), "direct"
    ),
    **dict.fromkeys(("oauth-personal", "login_with_google", "use_gemini", "x_ai", "xai", "mistral_ai"), "direct"),
    **dict.fromkeys(("deepseek", "groq", "cohere", "perplexity"), "direct"),
}
# Ids that only these providers use: us.anthropic.claude-…-v1:0 or an ARN, and claude-…@20250514.
_MODELS = (
    (re.compile(r"bedrock/|(?:arn:aws[a-z-]*:bedrock:|(?:[a-z]{2,6}(?:-[a-z]{3})?\.)?anthropic\.)"), "bedrock"),
    (re.compile(r"vertex_ai/|claude-[a-z0-9.-]+@"), "vertex"),
    (re.compile(r"openrouter/|litellm"), "gateway"),
)

# Alternative names of one attribute: the first that is present is read.
_Names = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """The attributes that name the parts of a request.

    If no attribute names the provider, the source of the identity (a gateway) or the spelling of the model may.
    """

    skill: _Names = ()
    sub_agent: _Names = ()
    plugin: _Names = ()
    mcp_server: _Names = ()
    effort: _Names = ()
    query_source: _Names = ()
    provider: _Names = ()
    models: _Names = ()
    identity_source: _Names = ()
    _parts: Sequence[tuple[str, _Names]] = field(init=False, repr=False)  # the parts that have names
    _saying: frozenset[str] = field(init=False, repr=False)  # attributes that name a part on their own

    def __post_init__(self) -> None:
        named = [(str(part), names) for part in RequestPart if (names := getattr(self, part))]
        object.__setattr__(self, "_parts", named)
        saying = (name for _, names in (*named, ("", self.identity_source)) for name in names)
        object.__setattr__(self, "_saying", frozenset(saying))

    @property
    def names(self) -> set[str]:
        return {name for part in (*RequestPart, "models", "identity_source") for name in getattr(self, part)}

    def named(self, attributes: Attributes) -> dict[str, str] | None:
        """Part → value of a record; None if it names none."""
        if self._saying.isdisjoint(attributes):  # most records: saves a tenth of the time to read one
            provider = _provider_of(_first(self.models, attributes))
            return {str(RequestPart.PROVIDER): provider} if provider else None
        parts = {part: text for part, names in self._parts if (text := _first(names, attributes))}
        if provider := self._provider(attributes):
            parts[str(RequestPart.PROVIDER)] = provider
        return parts or None

    def seller(self, attributes: Attributes) -> str:
        """The provider as the record names it; empty if no attribute does."""
        return _first(self.provider, attributes)

    def _provider(self, attributes: Attributes) -> str:
        if provider := self.seller(attributes).lower():
            return _PROVIDERS.get(provider, provider)
        if _first(self.identity_source, attributes).startswith("gateway"):
            return "gateway"
        return _provider_of(_first(self.models, attributes))


@lru_cache(1000)
def _provider_of(model: str) -> str:
    return next((provider for pattern, provider in _MODELS if pattern.match(model)), "")


def _first(names: _Names, attributes: Attributes) -> str:
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str) and 0 < len(value) <= LONGEST_PART and value.isprintable() and value.strip():
            return value.strip()
    return ""
