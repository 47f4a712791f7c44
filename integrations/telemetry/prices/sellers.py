"""The entry of the price list for a model's name: its seller, and its spelling there.

A model is sold by its maker, by clouds, by gateways and by agents, each with its own ids and prices.  The exact id at
the seller that the name or the agent indicates is tried first, then the exact id at the maker, then the beginning of a
name; no spelling drops a word that denotes another service, such as `-fast` or `:free`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from integrations.model_names import (
    LONGEST_MODEL,
    BedrockName,
    bedrock_name,
    model_name,
    without_additions,
    without_date,
    without_revision,
)

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import MatchLogic, ModelInfo, Provider

# Agents that sell models themselves, at their own prices.
SELLING_AGENTS = {"copilot": "github-copilot", "cursor": "cursor"}
# Gateways', SDKs' and conventions' names of a seller, in an attribute or at the beginning of a path, if the list has
# another name for it.  https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/
_ALIASES = {
    **dict.fromkeys(("azure_ai", "azure_openai", "azure-openai", "azure_text", "foundry"), "azure"),
    **dict.fromkeys(("amazon_bedrock", "amazon-bedrock", "aws_bedrock", "bedrock", "bedrock_converse"), "aws"),
    **dict.fromkeys(("vertex", "google-vertex", "google-vertex-anthropic", "publishers", "models"), "google"),
    **dict.fromkeys(("gcp", "gemini", "vertex-ai", "vertexai"), "google"),
    **dict.fromkeys(("fireworks_ai", "fireworks-ai", "accounts"), "fireworks"),
    **dict.fromkeys(("together_ai", "together-ai", "togetherai"), "together"),
    **dict.fromkeys(("copilot", "github_copilot"), "github-copilot"),
    **dict.fromkeys(("z-ai", "z.ai", "zai-org"), "zai"),
    **dict.fromkeys(("x_ai", "xai"), "x-ai"),
    **dict.fromkeys(("mistral_ai", "mistralai"), "mistral"),
    "moonshot_ai": "moonshotai",
}
_ATTRIBUTES = {**_ALIASES, "github": "github-copilot"}  # which at the beginning of a path is GitHub Models
# Programs that run a model on the team's own machines, as gateways, SDKs and agents name them, and those who publish
# models for them.  Such a model has no list price, whatever its maker asks elsewhere.
_LOCAL = frozenset(
    {
        *("ollama", "ollama_chat", "ollama-chat", "ollama-cloud", "vllm", "hosted_vllm", "hosted-vllm", "sglang"),
        *("lmstudio", "lm_studio", "lm-studio", "lm studio", "lmstudio-community", "mlx", "mlx-community", "mlx_lm"),
        *("llamacpp", "llama_cpp", "llama-cpp", "llama.cpp", "llama-server", "llamafile", "localai", "local-ai"),
        *("local", "koboldcpp", "xinference", "docker-model-runner", "ramalama", "lemonade", "foundry-local"),
        *("tgi", "text-generation-inference", "jan", "gpt4all", "oss"),  # the last one is Codex's: --oss
    }
)
_LOCAL_PORTS = {"11434": "ollama", "1234": "lmstudio"}  # others are gateways' ports, too
# Ollama's tag, and a file of llama.cpp's.
_LOCAL_FILE = re.compile(r":\d+(?:\.\d+)?[bm](?:-|$)|\.gguf$|[-_.]q\d_(?:k(?:_[a-z]+)?|\d)$")
# Of a seller whose id is also a vendor at OpenRouter, whose ids are looked up first.
_UNMISTAKABLE = {"fireworks": "fireworks_ai"}
# Makers of ids that do not have the prefix that the list expects.  The international one of two platforms comes first.
_MAKERS = (
    *(
        "anthropic",
        "openai",
        "google",
        "x-ai",
        "mistral",
        "deepseek",
        "moonshotai",
        "zai",
        "zhipuai",
        "minimax",
        "meta",
    ),
    *("cohere", "perplexity", "voyageai", "arcee", "typesafe"),
)
_INTERNATIONAL = {"glm-": "zai"}
# Words by which sellers distinguish services of one model.
SERVICES = frozenset(
    {
        *("fast", "ultrafast", "highspeed", "ultraspeed", "turbo", "flash", "flashx", "instant", "priority", "flex"),
        *(
            "lite",
            "light",
            "mini",
            "nano",
            "micro",
            "tiny",
            "small",
            "large",
            "pro",
            "plus",
            "prime",
            "ultra",
            "premier",
        ),
        *(
            "air",
            "airx",
            "free",
            "batch",
            "extended",
            "distill",
            "search",
            "research",
            "cyber",
            "legal",
            "vl",
            "vision",
        ),
        *("image", "audio", "tts", "transcribe", "realtime", "live", "whisper", "embed", "embedding", "omni"),
    }
)
_WORD = re.compile(r"[a-z]+")
_OFF = re.compile(r"\w+=false")  # composer-2.5[fast=false]


class _Pattern(NamedTuple):
    """A beginning, middle or end of names that an entry matches, or a regular expression."""

    clause: MatchLogic
    literals: tuple[str, ...]
    entry: ModelInfo


class _Seller:
    """A provider of the list, with its entries by name."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._by_name: dict[str, ModelInfo] = {}
        self._patterns: list[_Pattern] = []
        for entry in provider.models:
            self._by_name.setdefault(entry.id.lower(), entry)
            if provider.id == "aws":  # the list's term for every region but the global one
                self._by_name.setdefault(entry.id.lower().removeprefix("regional."), entry)
        for entry in provider.models:
            for clause in _alternatives(entry.match):
                literals = tuple(_literals(clause))
                if len(literals) == 1 and clause.is_match(literals[0]):
                    self._by_name.setdefault(literals[0], entry)
                if not hasattr(clause, "equals"):
                    self._patterns.append(_Pattern(clause, literals, entry))

    def __contains__(self, entry: ModelInfo | None) -> bool:
        return any(own is entry for own in self.provider.models)

    def exact(self, name: str) -> ModelInfo | None:
        """The entry with this id, or with a name that the list gives in full."""
        if (entry := self._by_name.get(name)) is not None:
            return entry
        return next(
            (pattern.entry for pattern in self._patterns if not pattern.literals and pattern.clause.is_match(name)),
            None,
        )

    def by_part(self, name: str) -> Iterator[ModelInfo]:
        """The entries that match a part of the name, usually its beginning."""
        for pattern in self._patterns:
            if pattern.clause.is_match(name) and any(_continues(name, literal) for literal in pattern.literals):
                yield pattern.entry


def find_entry(name: str) -> ModelInfo | None:
    """The entry for a model's name as sent; None if there is none."""
    sent = name.strip().lower()
    return _first(sent, _candidates(sent)) if sent and not runs_locally(sent) else None


def runs_locally(name: str) -> bool:
    """Whether the name shows that the model runs on the team's own machines: ollama/llama3.1, or gpt-oss:20b."""
    path, _, last = name.strip().lower().rpartition("/")
    return not _LOCAL.isdisjoint(path.split("/")) or bool(_LOCAL_FILE.search(last))


def local_server(port: object) -> str:
    """The local program that uses this port for its model server; empty if several programs may use it."""
    return _LOCAL_PORTS.get(str(port), "") if port else ""


def maker_s_entry(name: str) -> ModelInfo | None:
    """The entry of the same model at its maker, whichever seller and service it is from."""
    normal = model_name(name)
    return _first("", [(maker, _spellings(normal)) for maker in _makers(normal)])


def is_of_a_plan(listed: str, entry: ModelInfo) -> bool:
    """Whether an agent sells the model as part of its plans: its list has the model, but no price."""
    prices = entry.prices if isinstance(entry.prices, list) else [entry]
    has_price = any(rate is not None for price in prices for rate in vars(price.prices).values())
    return listed.partition("/")[0] in SELLING_AGENTS.values() and not has_price


@lru_cache(maxsize=10_000)  # names are external input
def sold_name(model: str, seller: str) -> str:
    """The model's name prefixed with the seller that an attribute names, such as `groq` or `aws.bedrock`.

    A name that already leads to this seller stays as sent.  So does a name that a maker does not list, because a
    maker's SDK is also used for others' models.
    """
    name = model.strip().lower()
    if name and (local := _local_seller(seller.strip().lower())):
        longer = f"{local}/{model}"
        return longer if not runs_locally(name) and len(longer) <= LONGEST_MODEL else model
    found = _seller_of_attribute(seller.strip().lower()) if name and seller else None
    if found is None or bedrock_name(name) or name.startswith("arn:") or find_entry(name) in found:
        return model
    provider = found.provider.id
    longer = f"{_UNMISTAKABLE.get(provider, provider)}/{model}"
    path = name.rpartition("/")[0]
    if provider in _MAKERS:
        is_sold = found.exact(name) is not None or (not path and find_entry(longer) in found)
    else:
        is_sold = not path or _seller_of_path(path.partition("/")[0]) is not found
    return longer if is_sold and len(longer) <= LONGEST_MODEL else model


def listed_name(model: str, agent: str) -> str:
    """The name under which the price of an agent's model is looked up; it includes the agent if that sells models
    itself.
    """
    seller = SELLING_AGENTS.get(agent)
    if seller is None or not model or "/" in model or bedrock_name(model):
        return model
    return named if len(named := f"{seller}/{model}") <= LONGEST_MODEL else model


def listed_names(model: str) -> set[str]:
    """All names under which a model is looked up, whichever agent requests it."""
    return {model, *(listed_name(model, agent) for agent in SELLING_AGENTS)}


def requested_names(listed: str) -> set[str]:
    """The names of models, as agents send them, whose price is looked up under this name."""
    seller, _, model = listed.partition("/")
    return {listed, model} if seller in SELLING_AGENTS.values() and model else {listed}


_Candidates = list[tuple[_Seller, list[str]]]


def _first(sent: str, candidates: _Candidates) -> ModelInfo | None:
    makers = [(maker, _spellings(sent)) for maker in filter(None, map(_seller, _MAKERS))]
    for seller, spellings in (*candidates, *makers):
        for spelling in spellings:
            entry = seller.exact(spelling)
            if entry is not None and (sent.endswith(spelling) or _is_same_service(sent, entry)):
                return entry
    for seller, spellings in candidates:
        for spelling in spellings:
            for entry in seller.by_part(spelling):
                if _is_same_service(sent, entry):
                    return entry
    return None


def _candidates(sent: str) -> _Candidates:
    """The sellers to which a name may refer, those that it indicates first, each with the spellings to look up."""
    plain = without_additions(sent)
    found: list[tuple[_Seller | None, list[str]]] = []
    if bedrock := bedrock_name(sent):
        found.append((_seller("aws"), list(_bedrock_spellings(bedrock))))
    path, _, last = sent.rpartition("/")
    if path:
        if path.count("/") == 0:  # vendor/model, gateways' names for models hosted by others
            found.append((_seller("openrouter"), [f"{path}/{spelling}" for spelling in _spellings(last)]))
        first, _, rest = sent.partition("/")
        if first == "huggingface":  # it sells through others
            provider, _, rest = rest.partition("/")
            first = f"huggingface_{provider}"
        vendor = rest.removesuffix(last)
        spellings = _spellings(last)
        found.append(
            (_seller_of_path(first), [*(f"{vendor}{spelling}" for spelling in spellings), *spellings, sent, plain])
        )
    elif "@" in sent:  # claude-…@20250929
        found.append((_seller("google"), _spellings(sent)))
    elif sent.endswith((":batch", ":free")):
        found.append((_seller("openrouter"), [sent]))
    for name in dict.fromkeys((sent, plain, last, model_name(sent))):
        found.extend((maker, _spellings(name)) for maker in _makers(name))
    if path.count("/") > 0:
        vendor = path.rpartition("/")[2]
        found.append((_seller("openrouter"), [f"{vendor}/{spelling}" for spelling in _spellings(last)]))
    return [(seller, spellings) for seller, spellings in found if seller is not None]


def _spellings(name: str) -> list[str]:
    """Spellings of a model's name without its path; the one that was sent comes first."""
    plain = without_additions(name)
    normal = model_name(plain)
    dotted = re.sub(r"(?<=-\d)-(?=\d{1,2}(?!\d))", ".", normal)  # claude-opus-4.8
    return list(dict.fromkeys((name, plain, without_date(plain), normal, dotted)))


def _bedrock_spellings(bedrock: BedrockName) -> Iterator[str]:
    """The spellings of a Bedrock name: the list has some models with a date and a revision, and some with neither."""
    whole, bare = bedrock.model, without_revision(bedrock.model)
    undated = without_date(bare)
    models = dict.fromkeys((whole, f"{bare}-v1:0", bare, f"{undated}-v1:0", undated))
    if bedrock.region:
        yield from (f"{bedrock.region}.{bedrock.vendor}.{model}" for model in models)
    if bedrock.region != "global":  # it costs less than a region
        yield from (f"{bedrock.vendor}.{model}" for model in models)


def _is_same_service(sent: str, entry: ModelInfo) -> bool:
    """Whether the entry's names have all the words of the name that denote another service."""
    words = _services(_OFF.sub("", sent.rpartition("/")[2]))
    return (
        not words
        or words <= _services(entry.id.lower())
        or any(words <= _services(literal) for clause in _alternatives(entry.match) for literal in _literals(clause))
    )


def _services(name: str) -> frozenset[str]:
    return SERVICES.intersection(_WORD.findall(name))


def _continues(name: str, literal: str) -> bool:
    """Whether the name continues with another word, rather than with the rest of this word or of its version."""
    before, found, after = name.partition(literal)
    if not found or (before and before[-1].isalnum() and literal[0].isalnum()):
        return False
    if literal[-1].isdigit() and re.match(r"\d|\.\d", after):
        return bool(re.search(r"20\d\d$", literal))  # the beginning of a date
    return not (literal[-1].isalnum() and after[:1].isalpha())


def _alternatives(clause: MatchLogic) -> Iterator[MatchLogic]:
    parts = getattr(clause, "or_", None)
    if parts is None:
        yield clause
    else:
        for part in parts:
            yield from _alternatives(part)


def _literals(clause: MatchLogic) -> Iterator[str]:
    for part in getattr(clause, "and_", [clause]):
        for kind in ("equals", "starts_with", "contains", "ends_with"):
            if (literal := getattr(part, kind, None)) is not None:
                yield literal.lower()


def _makers(name: str) -> list[_Seller]:
    """The providers to which the list assigns names like this one: by their beginning, then by a word in them."""
    sellers = _sellers()
    claims = [
        seller
        for seller in sellers.values()
        if seller.provider.model_match is not None and seller.provider.model_match.is_match(name)
    ]
    claims.sort(key=lambda seller: hasattr(seller.provider.model_match, "contains"))
    first = [sellers[maker] for prefix, maker in _INTERNATIONAL.items() if name.startswith(prefix) and maker in sellers]
    return [*first, *claims]


def _seller_of_attribute(value: str) -> _Seller | None:
    """The seller that `groq`, `azure.ai.openai` (conventions) or `google.vertex.chat` (the AI SDK) denotes."""
    return _seller(_ATTRIBUTES.get(value, value)) or _seller_of_path(value.partition(".")[0])


def _local_seller(value: str) -> str:
    """The local program that `ollama`, `LM Studio` or `ollama.chat` (the AI SDK) denotes; empty for others."""
    return next((name for name in (value, value.partition(".")[0]) if name in _LOCAL), "").replace(" ", "")


def _seller_of_path(first: str) -> _Seller | None:
    from genai_prices.data_snapshot import find_provider_by_id, get_snapshot

    if (seller := _seller(_ALIASES.get(first, first))) is not None:
        return seller
    provider = find_provider_by_id(get_snapshot().providers, first)
    return None if provider is None else _seller(provider.id)


def _seller(provider: str) -> _Seller | None:
    return _sellers().get(provider)


_read: tuple[DataSnapshot, dict[str, _Seller]] | None = None


def _sellers() -> dict[str, _Seller]:
    """The providers of the installed list by id, read once."""
    from genai_prices.data_snapshot import get_snapshot  # 30,000 lines of prices: imported lazily

    global _read  # noqa: PLW0603  # a snapshot is no key of a cache
    snapshot = get_snapshot()
    if _read is None or _read[0] is not snapshot:
        _read = snapshot, {provider.id: _Seller(provider) for provider in snapshot.providers}
    return _read[1]
