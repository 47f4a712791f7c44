"""The repositories of the demo organisation: their content, the people who work there, and the addresses that sign."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from demo.plan.people import CHECKOUT, DATA, LOGISTICS, MOBILE, PLATFORM, SEARCH, TOOLING, DemoPerson


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder for files of one kind; `share` is the chance that a changed file is one of them."""

    path: str
    suffix: str
    share: float
    prefix: str = ""  # of the file's name, such as test_
    only_new: bool = False  # such as migrations, which nobody changes once they ran

    def file(self, name: str) -> str:
        return f"{self.path}/{self.prefix}{name}{self.suffix}"


@dataclass(frozen=True, slots=True)
class DemoRepository:
    """A repository; `context_files` maps each path to the weeks before the demo's end at which it was added.

    `service` is the name that deployments give to its build; empty if they name none.
    """

    name: str
    team: str
    folders: tuple[Folder, ...]
    lock_file: str
    generated_file: str
    context_files: tuple[tuple[str, int], ...]
    vendored_folder: str = ""
    bulk_import_weeks: int | None = None  # weeks before the end at which a folder of seeds came in at once
    # Weeks before the end from which the first branch that is finished is squashed instead of merged, and from which
    # the first commit of a branch that has a note is picked to main at once.
    squash_weeks: int | None = None
    pick_weeks: int | None = None
    service: str = ""


_DOCUMENTS = (Folder("docs", ".md", 0.08), Folder("deploy", ".yaml", 0.06))

REPOSITORIES: tuple[DemoRepository, ...] = (
    DemoRepository(
        name="checkout-api",
        team=CHECKOUT,
        service="checkout",
        folders=(
            Folder("checkout", ".py", 0.52),
            Folder("tests", ".py", 0.26, prefix="test_"),
            Folder("migrations", ".sql", 0.08, only_new=True),
            *_DOCUMENTS,
        ),
        lock_file="uv.lock",
        generated_file="checkout/schema_types.py",
        context_files=(("CLAUDE.md", 47), ("AGENTS.md", 12)),
        pick_weeks=40,
    ),
    DemoRepository(
        name="search-service",
        team=SEARCH,
        service="search",
        folders=(
            Folder("internal/index", ".go", 0.40),
            Folder("internal/query", ".go", 0.18),
            Folder("internal/query", "_test.go", 0.24),
            Folder("scripts", ".sh", 0.04),
            *_DOCUMENTS,
        ),
        lock_file="go.sum",
        generated_file="internal/query/fields.go",
        context_files=(("CLAUDE.md", 44),),
        vendored_folder="vendor/orchard",
    ),
    DemoRepository(
        name="platform-deployment",
        team=PLATFORM,
        service="platform",
        folders=(
            Folder("clusters", ".yaml", 0.34),
            Folder("operator", ".go", 0.30),
            Folder("operator", "_test.go", 0.14),
            Folder("scripts", ".sh", 0.10),
            Folder("docs", ".md", 0.12),
        ),
        lock_file="go.sum",
        generated_file="operator/resources.go",
        context_files=(("AGENTS.md", 50),),
    ),
    DemoRepository(
        name="storefront-app",
        team=MOBILE,
        service="storefront",
        folders=(
            Folder("src/screens", ".tsx", 0.36),
            Folder("src/state", ".ts", 0.24),
            Folder("src/state", ".test.ts", 0.26),
            *_DOCUMENTS,
        ),
        lock_file="package-lock.json",
        generated_file="src/state/messages.ts",
        context_files=(("CLAUDE.md", 36), (".github/copilot-instructions.md", 20)),
        squash_weeks=40,
    ),
    DemoRepository(
        name="warehouse-models",
        team=DATA,
        service="warehouse",
        folders=(
            Folder("models", ".sql", 0.42),
            Folder("migrations", ".sql", 0.14, only_new=True),
            Folder("pipelines", ".py", 0.20),
            Folder("tests", ".py", 0.12, prefix="test_"),
            *_DOCUMENTS,
        ),
        lock_file="poetry.lock",
        generated_file="pipelines/columns.py",
        context_files=(("CLAUDE.md", 42),),
        bulk_import_weeks=33,
    ),
    DemoRepository(
        name="release-tooling",
        team=TOOLING,
        folders=(
            Folder("release", ".py", 0.34),
            Folder("console", ".ts", 0.26),
            Folder("tests", ".py", 0.18, prefix="test_"),
            Folder("scripts", ".sh", 0.08),
            *_DOCUMENTS,
        ),
        lock_file="yarn.lock",
        generated_file="console/routes.ts",
        context_files=(),
    ),
    DemoRepository(
        name="parcel-routing",
        team=LOGISTICS,
        service="parcels",
        folders=(
            Folder("routing", ".py", 0.50),
            Folder("tests", ".py", 0.24, prefix="test_"),
            Folder("carriers", ".yaml", 0.12),
            *_DOCUMENTS,
        ),
        lock_file="poetry.lock",
        generated_file="routing/zones.py",
        context_files=(("AGENTS.md", 7),),
    ),
)

ORGANISATION_LOGIN = "example-orchard"
BUILT_APART = frozenset({"warehouse-models"})  # the others are built where their code is
BOT_NAME, BOT_EMAIL = "orchard-updates[bot]", "40100200+orchard-updates[bot]@users.noreply.github.com"

# Not everybody signs commits with the address that the agent's telemetry names.
_OTHER_ADDRESSES = {
    "Finch Imagined": "40100301+finch-imagined@users.noreply.github.com",
    "Cedar Mockley": "cedar@mockley.example.com",
    "Ivy Placeholder": "ivy@laptop.example.com",
}
_IN_MAILMAP = ("Ivy Placeholder",)


def repository_named(name: str) -> DemoRepository:
    """The repository of that name.  Raises StopIteration if there is none."""
    return next(repository for repository in REPOSITORIES if repository.name == name)


def project_key(repository: str) -> str:
    """The key of the repository's Jira project: CHECKOUT for checkout-api."""
    return repository.partition("-")[0].upper()


def git_address(person: DemoPerson) -> str:
    """The e-mail address that the person's commits carry."""
    return _OTHER_ADDRESSES.get(person.full_name, person.email)


def mailmap(people: Iterable[DemoPerson]) -> str:
    """The .mailmap of a repository in which these people work; empty if no entry is needed."""
    return "".join(
        f"{person.full_name} <{person.email}> <{git_address(person)}>\n"
        for person in people
        if person.full_name in _IN_MAILMAP
    )
