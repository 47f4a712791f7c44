"""A command, option, environment variable or endpoint that is not documented fails here, and so does a stale page."""

from __future__ import annotations

import argparse
import re
from functools import cache
from pathlib import Path

from django.core.management import get_commands, load_command_class
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator

from tests.servers import PROJECT_DIR

REFERENCE = PROJECT_DIR / "docs" / "reference"
APPS = ("config", "bench", "demo", "programs", "insights", "integrations", "orgtree")
DJANGO_OPTIONS = frozenset(
    {
        *("--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color"),
        *("--force-color", "--skip-checks"),
    }
)
VARIABLE = re.compile(r"\b(HEADWAY_[A-Z0-9_]+|DATABASE_URL|CELERY_BROKER_URL)\b")
RECEIVER = ("/v1/logs", "/v1/metrics", "/v1/traces")
INTAKE = ("/ingest/v1/{kind}/", "/ingest/v1/{kind}/{record_id}/", "/hooks/{provider}/{connection_id}/")
EXAMPLES = {
    "sha": "0123456789abcdef",
    **{name: name for name in ("slug", "record_id")},
    **{"key": "ai.spend", "kind": "deployments", "provider": "github", "connection_id": 1, "id": 1, "point": 1},
    **{"start": "2026-07-01", "template": "lead-time", "number": 1, "decision": 1},
}
PROBES = ("/healthz", "/readyz", "/prometheus")


def sections(page: str) -> dict[str, str]:
    """Text by heading, for headings that are code: `## \\`metric\\`` opens the section "metric"."""
    text = (REFERENCE / page).read_text()
    parts = re.split(r"^#+ `([^`]+)`.*$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def own_commands() -> dict[str, argparse.ArgumentParser]:
    return {
        name: load_command_class(app, name).create_parser("manage.py", name)
        for name, app in get_commands().items()
        if isinstance(app, str) and app in APPS
    }


def test_every_command_is_documented_and_every_documented_one_exists() -> None:
    assert set(sections("commands.md")) == set(own_commands())


def test_every_option_of_a_command_is_documented() -> None:
    documented = sections("commands.md")
    missing = [
        f"{word} of {name}"
        for name, parser in own_commands().items()
        for word in options(parser)
        if word not in documented.get(name, "")
    ]
    assert missing == [], "docs/reference/commands.md does not explain these"


def options(parser: argparse.ArgumentParser) -> list[str]:
    """The long names of its own options, and its arguments in capitals."""
    return [
        action.option_strings[-1] if action.option_strings else str(action.metavar or action.dest).upper()
        for action in parser._actions
        if not set(action.option_strings) & DJANGO_OPTIONS and action.help != argparse.SUPPRESS
    ]


def test_every_environment_variable_is_documented_and_every_documented_one_is_read() -> None:
    sources = [PROJECT_DIR / "Makefile", PROJECT_DIR / ".ci" / "run", *PROJECT_DIR.glob("scripts/*")]
    for app in (*APPS, "tests"):
        sources += (PROJECT_DIR / app).rglob("*.py")
    read = {name for source in sources if source.is_file() for name in VARIABLE.findall(source.read_text())}
    assert set(VARIABLE.findall((REFERENCE / "environment.md").read_text())) == read - INTERNAL_VARIABLES


# Between our own processes; nobody sets them.
INTERNAL_VARIABLES = frozenset(
    {"HEADWAY_TEST_RUN", "HEADWAY_BENCH_SUPERVISOR", "HEADWAY_GOLDEN_FOLDER", "HEADWAY_AGENT_WAIT"}
)


@cache
def api_endpoints() -> dict[str, dict[str, dict[str, object]]]:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    paths: dict[str, dict[str, dict[str, object]]] = schema["paths"]
    return paths


def test_every_endpoint_is_documented_and_every_documented_one_exists() -> None:
    known = set(api_endpoints()) | set(RECEIVER) | set(INTAKE) | set(PROBES) | {"/api/schema/", "/api/docs/"}
    assert set(sections("api.md")) == known
    for address in sections("api.md"):
        resolve(address.format_map(EXAMPLES))  # raises where nothing answers


def test_every_parameter_of_an_endpoint_is_documented() -> None:
    documented = sections("api.md")
    missing = [
        f"{parameter['name']} of {method} {path}"
        for path, operations in api_endpoints().items()
        for method, operation in operations.items()
        for parameter in operation.get("parameters", ())  # type: ignore[attr-defined]
        if f"`{parameter['name']}`" not in documented.get(path, "") and f"{{{parameter['name']}}}" not in path
    ]
    assert missing == [], "docs/reference/api.md does not explain these"


MAKE_TARGETS = ("demo", "run", "test", "quick", "soak", "check", "bench", "clean")


def test_make_knows_the_promised_targets() -> None:
    makefile = (PROJECT_DIR / "Makefile").read_text()
    pages = (PROJECT_DIR / "README.md").read_text() + (PROJECT_DIR / "CONTRIBUTING.md").read_text()
    for target in MAKE_TARGETS:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"the Makefile has no target {target}"
        assert f"make {target}" in pages, f"neither README.md nor CONTRIBUTING.md explains make {target}"


def links(page: Path) -> list[str]:
    return re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text())


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*PROJECT_DIR.glob("*.md"), *(PROJECT_DIR / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(PROJECT_DIR)}: {link}"
        for page in sorted(pages)
        for link in links(page)
        if not (page.parent / link).exists()
    ]
    assert broken == []
