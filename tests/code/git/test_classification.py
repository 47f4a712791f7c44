"""Classification of files by name, and by a repository's own attributes."""

from __future__ import annotations

import pytest

from integrations.connectors.git.attributes import AttributeReader
from integrations.connectors.git.languages import Classification, classify
from integrations.connectors.git.repository import GitRepository
from tests.code.git.repositories import Repo


@pytest.mark.parametrize(
    ("path", "language", "file_type"),
    [
        ("src/cart.py", "Python", "code"),
        ("src/cart.ts", "TypeScript", "code"),
        ("src/types.d.ts", "TypeScript", "code"),
        ("src/Page.tsx", "TSX", "code"),
        ("include/cart.h", "C", "code"),
        ("app/View.m", "Objective-C", "code"),
        ("lib/Cart.pm", "Perl", "code"),
        ("styles/site.css", "CSS", "code"),
        ("templates/page.html", "HTML", "code"),
        ("schema.graphql", "GraphQL", "code"),
        ("query.sql", "SQL", "code"),
        ("README.md", "Markdown", "documentation"),
        ("docs/guide.rst", "reStructuredText", "documentation"),
        ("LICENSE", "Text", "documentation"),
        ("CLAUDE.md", "Markdown", "documentation"),
        ("tests/test_cart.py", "Python", "test"),
        ("src/cart.test.ts", "TypeScript", "test"),
        ("pkg/cart_test.go", "Go", "test"),
        ("src/test/java/CartTest.java", "Java", "test"),
        ("shop/migrations/0002_cart.py", "Python", "migration"),
        ("db/migrate/20260302_cart.rb", "Ruby", "migration"),
        ("db/V2__cart.sql", "SQL", "migration"),
        ("scripts/deploy.py", "Python", "script"),
        ("install.sh", "Shell", "script"),
        ("Makefile", "Makefile", "script"),
        ("Dockerfile", "Dockerfile", "configuration"),
        ("infra/main.tf", "HCL", "configuration"),
        (".github/workflows/ci.yml", "YAML", "configuration"),
        ("package.json", "JSON", "configuration"),
        (".gitignore", "Ignore List", "configuration"),
        ("data.bin", "", "other"),
        ("no-ending", "", "other"),
    ],
)
def test_a_file_is_what_its_name_says(path: str, language: str, file_type: str) -> None:
    assert classify(path) == Classification(language, file_type, "")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("package-lock.json", "lock"),
        ("web/pnpm-lock.yaml", "lock"),
        ("uv.lock", "lock"),
        ("Cargo.lock", "lock"),
        ("go.sum", "lock"),
        ("flake.lock", "lock"),
        ("bun.lock", "lock"),
        ("api/shop.pb.go", "generated"),
        ("api/shop_pb2.py", "generated"),
        ("web/app.js.map", "generated"),
        ("web/app.min.js", "minified"),
        ("web/site-min.css", "minified"),
        ("node_modules/left-pad/index.js", "vendored"),
        ("vendor/github.com/pkg/errors.go", "vendored"),
        ("static/jquery-3.7.1.js", "vendored"),
        ("third_party/zlib/inflate.c", "vendored"),
        ("dist/app.js", "vendored"),
        ("MODULE.bazel.lock", "lock"),
        ("renv.lock", "lock"),
        ("Web/Package-Lock.json", "lock"),
        ("Forms/Main.Designer.cs", "generated"),
        ("Forms/Form1.Designer.vb", "generated"),
        ("obj/Page.G.cs", "generated"),
        ("Data/Migrations/ShopModelSnapshot.cs", "generated"),
        ("Steps/Buy.Feature.cs", "generated"),
        ("client/openapi.gen.go", "generated"),
        ("src/generated/client.ts", "generated"),
        ("src/__snapshots__/app.test.tsx.snap", "generated"),
        ("tests/cassettes/login.yaml", "generated"),
        ("src/mocks/mock_store.go", "generated"),
        (".pnp.cjs", "generated"),
        ("gradlew", "generated"),
        (".sqlx/query-1f2e.json", "generated"),
        ("Carthage/Build/iOS/A.swift", "generated"),
        ("ios/Pods/Alamofire/A.swift", "generated"),
        ("static/app.bundle.js", "minified"),
        ("venv/lib/python3.12/site-packages/attr/core.py", "vendored"),
        ("src/types/assets.d.ts", ""),
        ("internal/builder/build.go", ""),
        ("internal/mocks/clock.go", ""),
        ("src/generator/write.py", ""),
        ("manifest.toml", ""),
        ("src/locket.py", ""),
        ("src/vendors.py", ""),
        ("src/admin.js", ""),
    ],
)
def test_what_nobody_wrote_here_is_set_apart(path: str, why: str) -> None:
    assert classify(path).exclusion_reason == why


def test_a_file_without_lines_is_binary_whatever_its_name() -> None:
    assert classify("cart.py", binary=True).exclusion_reason == "binary"


@pytest.mark.parametrize(
    ("line", "path", "expected"),
    [
        ("api/*.py linguist-generated", "api/client.py", ("Python", "code", "generated")),
        ("api/*.py linguist-generated=true", "api/client.py", ("Python", "code", "generated")),
        ("*.pb.go -linguist-generated", "api/shop.pb.go", ("Go", "code", "")),
        ("*.pb.go linguist-generated=false", "api/shop.pb.go", ("Go", "code", "")),
        ("vendor/** -linguist-vendored", "vendor/own.go", ("Go", "code", "")),
        ("lib/** linguist-vendored", "lib/theirs.go", ("Go", "code", "vendored")),
        ("guides/** linguist-documentation", "guides/run.py", ("Python", "documentation", "")),
        ("docs/** -linguist-documentation", "docs/site.html", ("HTML", "code", "")),
        ("*.tpl linguist-language=HTML", "page.tpl", ("HTML", "code", "")),
        ("*.x linguist-language=Objective-C", "a.x", ("Objective-C", "code", "")),
        ("*.x linguist-language=common-lisp", "a.x", ("Common Lisp", "code", "")),
        ("*.py !linguist-generated", "a.py", ("Python", "code", "")),
    ],
)
def test_the_attributes_of_the_repository_outrank_the_name(
    repo: Repo, line: str, path: str, expected: tuple[str, str, str]
) -> None:
    repo.commit({".gitattributes": f"{line}\n", path: "x\n"})
    git = GitRepository.open(repo.path)
    with AttributeReader(git.git_dir, repo.head) as attributes:
        assert classify(path, attributes.of([path])[path]) == Classification(*expected)


def test_attributes_of_subfolders_and_of_bare_repositories_are_read(repo: Repo) -> None:
    repo.commit({"api/.gitattributes": "client.py linguist-generated\n", "api/client.py": "x\n", "client.py": "x\n"})
    git = GitRepository.open(repo.clone(repo.path.parent / "bare.git", "--bare").path)
    with AttributeReader(git.git_dir, repo.head) as attributes:
        by_path = attributes.of(["api/client.py", "client.py", "odd\nname", "caf\\xe9.py"])
    assert [bool(by_path[path]) for path in by_path] == [True, False, False, False]


def test_a_repository_without_attributes_or_with_a_missing_tree_has_none(repo: Repo) -> None:
    repo.commit({"a.py": "x\n"})
    git = GitRepository.open(repo.path)
    with AttributeReader(git.git_dir, repo.head) as attributes:
        assert attributes.of(["a.py"]) == {"a.py": {}}
    repo.remove_object("HEAD^{tree}")
    with AttributeReader(git.git_dir, repo.head) as attributes:
        assert attributes.of(["a.py"]) == {"a.py": {}}
