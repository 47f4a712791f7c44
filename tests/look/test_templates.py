"""Templates compile and keep the Content-Security-Policy: no inline script, no inline style, nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings
from django.template import TemplateSyntaxError
from django.template.loader import get_template

TEMPLATES = Path(settings.BASE_DIR) / "templates"
NAMES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
STYLESHEETS = sorted((Path(settings.BASE_DIR) / "static" / "css").rglob("*.css"))
MODULES = sorted((Path(settings.BASE_DIR) / "static" / "js").rglob("*.js"))

FORBIDDEN = {
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "a <style> element": re.compile(r"<style", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)", re.IGNORECASE),
    "an event attribute": re.compile(r"<[^>]*\s(on[a-z]+|hx-on[^=\s]*)\s*=", re.IGNORECASE),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "something loaded from elsewhere": re.compile(r"""(src|href)=["'](https?:)?//(?!www\.w3\.org)""", re.IGNORECASE),
}
LARGEST_FILE_LINES = 400


def test_templates_compile() -> None:
    broken = {}
    for name in NAMES:
        try:
            get_template(name)
        except TemplateSyntaxError as problem:
            broken[name] = str(problem)
    assert not broken


# Mail programs read no style sheet of ours, and no policy of ours holds there.  The element has what attributes cannot
# say: other colours in the dark, and another layout on a phone.
EMAILS = "programs/emails/"
IN_EMAILS = ("a style attribute", "a <style> element")


def test_templates_need_nothing_that_the_policy_forbids() -> None:
    forbidden = [
        f"{what} in {name}: {match.group(0)[:80]}"
        for name in NAMES
        for what, pattern in FORBIDDEN.items()
        if not (what in IN_EMAILS and name.startswith(EMAILS))
        and (match := pattern.search((TEMPLATES / name).read_text()))
    ]
    assert forbidden == []


def test_scripts_and_stylesheets_stay_readable() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in (*STYLESHEETS, *MODULES)}
    assert [(path.name, length) for path, length in lengths.items() if length > LARGEST_FILE_LINES] == []


def test_scripts_evaluate_no_text_and_set_no_style_attribute() -> None:
    unsafe = re.compile(r"\beval\(|new Function\(|setAttribute\(\s*[\"']style")
    assert [path.name for path in MODULES if unsafe.search(path.read_text())] == []


def test_htmx_evaluates_nothing_and_writes_no_styles() -> None:
    configuration = (TEMPLATES / "base.html").read_text()
    for setting in ('"includeIndicatorStyles": false', '"allowEval": false', '"attributesToSettle": ["class"]'):
        assert setting in configuration


IMPORTED = re.compile(r"""(?:^|\n)import\s*(?:\{[^}]*\}\s*from\s*)?["']\./([^"']+)["']""")


def test_what_every_page_imports_is_fetched_at_once() -> None:
    """A module that is found only in another one is fetched after it, and nothing runs before the last is there."""
    scripts = Path(settings.BASE_DIR) / "static" / "js"
    needed, waiting = set[str](), ["main.js"]
    while waiting:
        new = {*IMPORTED.findall((scripts / waiting.pop()).read_text())} - needed
        needed |= new
        waiting += new
    preloaded = re.findall(r"""modulepreload" href="{% static 'js/([^']+)' %}""", (TEMPLATES / "base.html").read_text())
    assert sorted(preloaded) == sorted(needed)
    assert len(needed) > 10
