"""Addresses that the mirror helper accepts, whatever a caller passes."""

from __future__ import annotations

import base64
import subprocess
from itertools import product
from pathlib import Path

import pytest

from integrations.connectors.git.commands import GitError
from integrations.connectors.git.mirror import update_mirror
from tests.code.git.repositories import Repo, lines
from tests.code.git.served import served

TOKEN = "github_pat_of_the_mirror"
AUTHORIZATION = f"Basic {base64.b64encode(f'x-access-token:{TOKEN}'.encode()).decode()}"
RAN = "ran"  # what a program that an address names would leave behind


@pytest.fixture
def shop(tmp_path: Path) -> Repo:
    repo = Repo.create(tmp_path / "acme" / "shop.git")
    repo.commit({"shop.py": lines(3)}, "Begin")
    return repo


OTHER_ADDRESSES = (
    "ext::sh -c touch% {folder}/ran",
    "ext::touch {folder}/ran",
    "EXT::touch {folder}/ran",
    "http::ext::touch {folder}/ran",
    "https::file://{folder}/acme/shop.git",
    "fd::17/acme",
    "file://{folder}/acme/shop.git",
    "FILE://{folder}/acme/shop.git",
    "{folder}/acme/shop.git",
    "../acme/shop.git",
    "acme/shop.git",
    "origin",
    "",
    "-u{folder}/ran",
    "--upload-pack=touch {folder}/ran",
    "--config=core.sshCommand=touch {folder}/ran",
    "ssh://git@127.0.0.1/acme/shop.git",
    "git@127.0.0.1:acme/shop.git",
    "ssh://-oProxyCommand=touch%20{folder}/ran/shop.git",
    "git://127.0.0.1/acme/shop.git",
    "ftp://127.0.0.1/acme/shop.git",
    "http://",
    "https:///acme/shop.git",
    "https://-proxy/acme/shop.git",
    "https://ada:secret@127.0.0.1/acme/shop.git",
    "https://127.0.0.1/acme/shop.git\n--upload-pack=touch",
    "ht\ntps://127.0.0.1/acme/shop.git",
    "https://127.0.0.1/acme/shop.git\0",
)


def test_other_addresses_than_the_webs_are_refused_before_git_runs(
    tmp_path: Path, shop: Repo, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    mirror = tmp_path / "mirrors" / "101.git"
    with served(tmp_path, TOKEN) as provider:
        update_mirror(mirror, f"{provider.url}/acme/shop", AUTHORIZATION)
    # Once for a first copy, once for one that exists.
    for address, git_dir in product(OTHER_ADDRESSES, (tmp_path / "mirrors" / "102.git", mirror)):
        with subtests.test(address=address, git_dir=git_dir.name), monkeypatch.context() as patched:
            patched.setattr(subprocess, "run", lambda *_, **__: pytest.fail("git was run"))
            with pytest.raises(GitError, match=r"https://git\.example\.com"):
                update_mirror(git_dir, address.format(folder=tmp_path), AUTHORIZATION)
            assert git_dir == mirror or not git_dir.exists()
            assert not (tmp_path / RAN).exists()


@pytest.mark.parametrize("target", ["file://{folder}/elsewhere", "ext::touch {folder}/ran ", "ssh://127.0.0.1"])
def test_a_redirect_leads_nowhere_else(target: str, tmp_path: Path, shop: Repo) -> None:
    mirror = tmp_path / "mirrors" / "101.git"
    Repo.create(tmp_path / "elsewhere" / "acme" / "shop").commit({"secret.py": lines(1)})
    with served(tmp_path, TOKEN) as provider:
        provider.moved_to = target.format(folder=tmp_path)
        with pytest.raises(GitError):
            update_mirror(mirror, f"{provider.url}/acme/shop", AUTHORIZATION)
    assert not mirror.exists()
    assert not (tmp_path / RAN).exists()


def test_submodules_are_not_followed(tmp_path: Path, shop: Repo) -> None:
    module = f'[submodule "x"]\n\tpath = x\n\turl = ext::touch {tmp_path}/{RAN}\n\tfetchRecurseSubmodules = true\n'
    mirror = tmp_path / "mirrors" / "101.git"
    with served(tmp_path, TOKEN) as provider:
        for number in range(2):
            (shop.path / ".gitmodules").write_text(module + f"# {number}\n")
            shop.git("add", ".gitmodules")
            shop.git("update-index", "--add", "--cacheinfo", f"160000,{shop.head},x")
            shop.git("commit", "--quiet", "--message=Add a submodule", signed=shop.signed())
            update_mirror(mirror, f"{provider.url}/acme/shop", AUTHORIZATION)
    assert subprocess.check_output(["git", f"--git-dir={mirror}", "rev-list", "--count", "main"]).strip() == b"3"
    assert not (tmp_path / RAN).exists()
    assert not (mirror / "modules").exists()
