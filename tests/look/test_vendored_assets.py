"""Vendored assets match the manifest, and every icon that a template uses exists."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings

SCRIPT = Path(settings.BASE_DIR) / "scripts" / "vendor_assets.py"
VENDOR_DIR = Path(settings.BASE_DIR) / "static" / "vendor"
LARGEST_VENDORED_BYTES = 1_500_000
ICON_TAG = re.compile(r"""\{% icon ["']([a-z0-9-]+)["']|icon_name=["']([a-z0-9-]+)["']|icon="([a-z0-9-]+)\"""")


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return cast(dict[str, Any], json.loads((VENDOR_DIR / "manifest.json").read_text()))


def test_vendored_files_are_those_of_the_manifest(script: dict[str, Any]) -> None:
    differences: Callable[[], list[str]] = script["differences"]
    assert differences() == []


def test_every_package_names_its_version_and_licence(manifest: dict[str, Any]) -> None:
    for entry in manifest["packages"]:
        assert entry["version"]
        assert entry["licence"] in {"MIT", "0BSD", "OFL-1.1"}
        licence = next(name for name in entry["files"] if name.endswith("/LICENSE"))
        assert (VENDOR_DIR / licence).stat().st_size > 500


def test_htmx_is_of_the_second_generation(manifest: dict[str, Any]) -> None:
    versions = {entry["package"]: entry["version"] for entry in manifest["packages"]}
    assert versions["htmx.org"].startswith("2.")


def test_the_vendored_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in VENDOR_DIR.rglob("*") if path.is_file()) < LARGEST_VENDORED_BYTES


def test_every_icon_in_use_is_in_the_sprite() -> None:
    sprite = (VENDOR_DIR / "icons" / "sprite.svg").read_text()
    drawn = set(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite))
    used = {
        name
        for template in (Path(settings.BASE_DIR) / "templates").rglob("*.html")
        for names in ICON_TAG.findall(template.read_text())
        for name in names
        if name
    }
    assert used - drawn == set()


def test_the_navigation_asks_for_icons_that_exist() -> None:
    from config.context_processors import NAVIGATION

    sprite = (VENDOR_DIR / "icons" / "sprite.svg").read_text()
    for _, entries in NAVIGATION:
        for entry in entries:
            assert f'id="{entry.icon}"' in sprite
