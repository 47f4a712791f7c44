"""The values of dimensions as pages print them."""

from __future__ import annotations

from collections.abc import Mapping

from insights.catalogue.agents import AGENT_NAMES, agent_name
from insights.engine.compared_lines import ANY_AGENT, WITHOUT
from insights.engine.plan import OTHER_ALONE
from insights.query.query import Dimension
from integrations.intake.resolve import shown_service
from integrations.models import CommitFile

# Labels of classes of work.
WORK_TYPES: Mapping[str, str] = {
    **{"feature": "Feature", "bug": "Bug", "other": "Other", "tech_debt": "Tech debt"},
    **{"operations": "Operations", "documentation": "Documentation", "unknown": "Unknown work"},
    OTHER_ALONE: "Other, unclassified",
}
# For telemetry that may not name the part that a request belongs to.
PARTS_OF_REQUESTS = (
    *(Dimension.SKILL, Dimension.SUB_AGENT, Dimension.PLUGIN, Dimension.MCP_SERVER, Dimension.EFFORT),
    Dimension.QUERY_SOURCE,
)
# By dimension; the values of other dimensions are their own labels.
LABELS: Mapping[Dimension, Mapping[str, str]] = {
    Dimension.WORK_TYPE: WORK_TYPES,
    Dimension.ASSISTANCE: {ANY_AGENT: "Any agent", WITHOUT: "Non-AI"},
    Dimension.AGENT: AGENT_NAMES,
    Dimension.LANGUAGE: {"": "No language"},
    Dimension.FILE_TYPE: dict(CommitFile.Type.choices),
    Dimension.REPOSITORY: {"unknown": "Unknown repository"},
    Dimension.EPIC: {"unknown": "No epic"},
    Dimension.INITIATIVE: {"unknown": "No initiative"},
    Dimension.PROJECT: {"unknown": "No project"},
    Dimension.PROVIDER: {
        **{"direct": "Direct", "bedrock": "Bedrock", "vertex": "Vertex", "azure": "Azure", "gateway": "Gateway"},
        "unknown": "Not reported",
    },
    **{dimension: {"unknown": "Not reported"} for dimension in PARTS_OF_REQUESTS},
    Dimension.OUTCOME: {
        **{"committed": "Committed", "wasted": "Wasted", "pending": "Pending", "unknown": "Unknown"},
    },
    Dimension.CAUSE: {
        **{"other_surface": "Other products", "no_person": "API keys", "not_instrumented": "No telemetry"},
        **{"not_reported": "Not reported", "price": "Price", "discount": "Discount", "delay": "Delay"},
    },
    Dimension.KNOWN_FROM: {"telemetry": "Telemetry", "vendor": "Vendor alone"},
    Dimension.PHASE: {"": "Not reported"},
    Dimension.VENDOR_TEAM: {"": "In no reported team"},
    Dimension.TOKEN_KIND: {
        "cache_read": "Cache read",
        "cache_write": "Cache write",
        "input": "Uncached input",
        "output": "Output",
    },
}


def label_of(value: str, dimension: Dimension) -> str:
    """The label of a value of a dimension, from facts or picked in a filter."""
    if dimension is Dimension.AGENT:
        return agent_name(value)
    if dimension is Dimension.SERVICE and value:
        return shown_service(value)
    return LABELS.get(dimension, {}).get(value) or value or "Unknown"
