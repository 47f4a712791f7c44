"""Classification of files by name: language, type, and exclusion from the counts.

Languages and vendored paths come from linguist's data (scripts/vendor_language_data.py); a repository's own linguist-*
attributes outrank it, as at the Git hosts.  Types are Headway's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

DATA = Path(__file__).parent / "data" / "languages.json"

DATA_DIGEST = (DATA.parent / "languages.sha256").read_text(encoding="ascii").split()[0]

SCRIPT_LANGUAGES = frozenset({"Awk", "Batchfile", "Fish", "Just", "Makefile", "Nushell", "PowerShell", "Shell", "Tcsh"})
CONFIGURATION_LANGUAGES = frozenset(
    {"CMake", "Dockerfile", "Earthly", "Gradle", "HCL", "Meson", "Nix", "Nginx", "Puppet", "SaltStack", "Starlark"}
)
DATA_THAT_IS_CODE = frozenset({"GraphQL", "Protocol Buffer", "SQL", "Thrift"})

MIGRATION = re.compile(
    r"(^|/)(migrations?|db/migrate|alembic/versions|liquibase|flyway)/.+\.(py|sql|rb|php|js|ts|cs|java|kt|go|xml|ya?ml)$"
    r"|(^|/)V\d[\d._]*__[^/]+\.sql$"
)
TEST = re.compile(
    r"(^|/)(tests?|__tests__|specs?|e2e|cypress|testing)/"
    r"|(^|/)(test_[^/]+|conftest)\.py$"
    r"|(^|/)[^/]+[_.-](test|tests|spec|e2e)\.[^/]+$"
    r"|(^|/)[^/]*[a-z0-9](Test|Tests|IT|Spec)\.(java|kt|scala|groovy|cs|swift|php)$"
)
DOCUMENTATION = re.compile(
    r"(^|/)(docs?|documentation|man)/.+\.(md|mdx|rst|adoc|txt|tex|html)$"
    r"|(^|/)(README|LICEN[CS]E|NOTICE|CHANGE(S|LOG)|CONTRIBUTING|AUTHORS|COPYING|SECURITY|CODE_OF_CONDUCT)([.-][^/]*)?$",
    re.IGNORECASE,
)
SCRIPT_FOLDER = re.compile(r"(^|/)(scripts?|bin)/[^/]+$")
DOT_CONFIGURATION = re.compile(r"(^|/)\.[^/]+(rc|ignore|config|attributes|env[^/]*|version)(\.[^/]+)?$")

# Linguist's name-based rules for generated files (lib/linguist/generated.rb), ignoring case, and similar ones: files
# written from a schema, by a snapshot test or by a recorder of requests.
GENERATED = re.compile(
    # Interface and protocol compilers.
    r"\.(pb|pulsar|connect)\.(go|ts|js|cc|h|rs|swift|dart)$|_pb2?(_grpc)?\.(py|pyi|js|d\.ts|rb)$|(^|/)zz_generated\."
    r"|\.(g|freezed|gr|mocks)\.dart$|[._-]gen(erated)?\.[^/.]+$|(^|/)(__generated__|generated)/|_tlb\.pas$"
    r"|(^|/)(openapi|swagger)[._-]?(types|client|schema)\.(ts|py|go)$|\.zep\.(c|h|php)$|(^|/)\.sqlx/query-[^/]+\.json$"
    # .NET: designers, source generators, SpecFlow, Entity Framework.
    r"|\.designer\.(cs|vb)$|\.g(\.i)?\.(cs|vb)$|\.feature\.cs$|ModelSnapshot\.cs$"
    # Internal files of development environments, package managers and recorders of agents.
    r"|\.(nib|xcworkspacedata|xcuserstate|pbxproj)$|(^|/)\.idea/|(^|/)Pods/|(^|/)Carthage/Build/|(^|/)Godeps/"
    r"|(^|/)\.pnp\.[^/]*$|(^|/)\.agent-trace/|(^|/)(gradlew(\.bat)?|mvnw(\.cmd)?)$"
    # Maps, coverage, snapshots, recorded requests and generated mocks.
    r"|\.(js|mjs|cjs|css)\.map$|(^|/)htmlcov/|\.snap$|(^|/)__snapshots__/|(^|/)(vcr_)?cassettes/.+\.(ya?ml|json)$"
    r"|(^|/)mocks?/mock_[^/]+\.go$",
    re.IGNORECASE,
)
MINIFIED = re.compile(r"[.-](min|bundle)\.(js|css|mjs|cjs)$", re.IGNORECASE)
LOCK = re.compile(
    r"(^|/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.ya?ml|bun\.lockb?|deno\.lock|poetry\.lock"
    r"|Pipfile\.lock|uv\.lock|pdm\.lock|pixi\.lock|Cargo(-bazel)?\.lock|Gemfile\.lock|gems\.locked|composer\.lock"
    r"|go(\.work)?\.sum|Gopkg\.lock|glide\.lock|mix\.lock|pubspec\.lock|Podfile\.lock|Cartfile\.resolved"
    r"|Package\.resolved|packages\.lock\.json|paket\.lock|project\.assets\.json|flake\.lock|gradle\.lockfile"
    r"|\.terraform\.lock\.hcl|(MODULE|WORKSPACE)\.bazel\.lock|maven_install\.json|buf\.lock|Chart\.lock"
    r"|requirements\.lock|conda-lock\.ya?ml|conan\.lock|renv\.lock|packrat\.lock|rebar\.lock"
    r"|cabal\.project\.freeze|stack\.yaml\.lock|vcpkg-lock\.json|(\w+\.)?esy\.lock|shard\.lock"
    r"|[^/]+\.opam\.locked)$",
    re.IGNORECASE,
)
# Environments that were checked in by mistake; linguist's list of vendored paths lacks them.
ENVIRONMENT = re.compile(r"(^|/)\.?venv/|(^|/)(site|dist)-packages/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Classification:
    """The class of a file; `language` is linguist's name or empty, the others are values of CommitFile's
    enumerations.
    """

    language: str
    file_type: str
    exclusion_reason: str


Attributes = Mapping[str, str]
"""linguist-generated, -vendored, -documentation, -language → git's value: set, unset, unspecified or a word."""

NO_ATTRIBUTES: Attributes = {}


def classify(path: str, attributes: Attributes = NO_ATTRIBUTES, *, binary: bool = False) -> Classification:
    """The classification of the file at that path."""
    if not attributes:
        return _classify_by_name(path, binary)
    return _classify(path, attributes, binary)


def _classify(path: str, attributes: Attributes, binary: bool) -> Classification:
    language = _language(path, attributes)
    return Classification(language, _file_type(path, language, attributes), _set_apart(path, attributes, binary=binary))


@lru_cache(maxsize=100_000)
def _classify_by_name(path: str, binary: bool) -> Classification:
    return _classify(path, NO_ATTRIBUTES, binary)


def _language(path: str, attributes: Attributes) -> str:
    stated = attributes.get("linguist-language", "unspecified")
    if stated not in ("unspecified", "unset", "set"):
        return _by_lower_name().get(stated.lower().replace("-", " "), stated)
    data, name = _data(), PurePosixPath(path).name
    if name in data["filenames"]:
        return str(data["filenames"][name])
    parts = name.lower().split(".")
    for position in range(1, len(parts)):  # the longest extension first: .d.ts before .ts
        if language := data["extensions"].get("." + ".".join(parts[position:])):
            return str(language)
    return ""


def _file_type(path: str, language: str, attributes: Attributes) -> str:
    kind = _data()["types"].get(language, "")
    code = kind in ("programming", "markup") or language in DATA_THAT_IS_CODE
    documentation = kind == "prose" or _stated_language(
        attributes, "linguist-documentation", otherwise=bool(DOCUMENTATION.search(path))
    )
    script = language in SCRIPT_LANGUAGES or (SCRIPT_FOLDER.search(path) and kind == "programming")
    answers = (
        ("migration", MIGRATION.search(path)),
        ("test", kind in ("programming", "markup") and TEST.search(path)),
        ("documentation", documentation),
        ("script", script),
        ("configuration", DOT_CONFIGURATION.search(path) or language in CONFIGURATION_LANGUAGES),
        ("code", code),
        ("configuration", kind == "data"),
    )
    return next((file_type for file_type, applies in answers if applies), "other")


def _set_apart(path: str, attributes: Attributes, *, binary: bool) -> str:
    if binary:
        return "binary"
    if LOCK.search(path):
        return "lock"
    if _stated_language(attributes, "linguist-generated", otherwise=bool(GENERATED.search(path))):
        return "generated"
    if MINIFIED.search(path):
        return "minified"
    vendored = bool(ENVIRONMENT.search(path)) or _vendored().contain(path)
    return "vendored" if _stated_language(attributes, "linguist-vendored", otherwise=vendored) else ""


def _stated_language(attributes: Attributes, name: str, *, otherwise: bool) -> bool:
    value = attributes.get(name, "unspecified").lower()
    return otherwise if value == "unspecified" else value not in ("unset", "false")


@cache
def _data() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return document


@cache
def _by_lower_name() -> dict[str, str]:
    return {name.lower(): name for name in _data()["types"]}


class _VendoredPaths:
    """Linguist's patterns for vendored paths, grouped by target: one search over all costs a millisecond.

    A folder pattern is tested once per folder, a name pattern once per name, and those for web libraries only for web
    files.
    """

    WEB = re.compile(r"\.(js|mjs|css|less|scss|styl|map)$")

    def __init__(self, patterns: list[str]) -> None:
        folders = [pattern for pattern in patterns if pattern.endswith("/")]
        names = [pattern for pattern in patterns if re.fullmatch(r"(\(\^\|/\)|\[\^\\s\]|\([^/^]*\))?[^/^]+", pattern)]
        web = [pattern for pattern in names if re.search(r"js|css", pattern)]
        self._folder = _any(folders)
        self._web_name = _any(web)
        self._name = _any([pattern for pattern in names if pattern not in web])
        self._path = _any([pattern for pattern in patterns if pattern not in folders and pattern not in names])
        self._in_folder = cache(lambda folder: bool(self._folder.search(folder)))

    def contain(self, path: str) -> bool:
        folder, slash, name = path.rpartition("/")
        return bool(
            self._in_folder(folder + slash)
            or self._name.search(name)
            or (self.WEB.search(name) and self._web_name.search(name))
            or self._path.search(path)
        )


def _any(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")


@cache
def _vendored() -> _VendoredPaths:
    return _VendoredPaths(_data()["vendored"])
