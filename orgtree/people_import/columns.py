"""Recognises the columns of a file by their headers, and parses cells with addresses and identities."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.cells import CellError, clean
from orgtree.identities.identity_names import IdentityName, UnusableNameError
from orgtree.models import IdentityKind
from orgtree.people_import.drafts import RowError

EMAIL, FULL_NAME, GIVEN_NAME, FAMILY_NAME = "email", "full_name", "given_name", "family_name"
MANAGER, IDENTITIES, START, END, TIME_ZONE = "manager_email", "identities", "start", "end", "time_zone"
# Known columns that are attributes of people; any column that is not known is an attribute too.
KNOWN_ATTRIBUTES = ("role", "sub_role", "team", "department", "site", TIME_ZONE)
# A change of one of these counts as a move.
PLACES = (MANAGER, "team", "department", "site")
MOST_COLUMNS = 250
LONGEST_ATTRIBUTE = 80
# Headers without case, blanks, hyphens, underscores and apostrophes; “#” is read as “number”.
_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    EMAIL: (
        *("email", "emailaddress", "mail", "mailaddress", "workemail", "workemailaddress", "workmail"),
        *("companyemail", "businessemail", "primaryemail", "useremail", "employeeemail", "personemail"),
    ),
    FULL_NAME: ("fullname", "name", "displayname", "employeename", "employee", "person", "personname"),
    GIVEN_NAME: ("givenname", "firstname", "forename"),
    FAMILY_NAME: ("familyname", "lastname", "surname"),
    MANAGER: (
        *("manageremail", "manager", "managersemail", "managersemailaddress", "manageremailaddress", "managermail"),
        *(
            "managerworkemail",
            "linemanager",
            "linemanageremail",
            "linemanagersemail",
            "linemanageremailaddress",
            "reportsto",
            "reportstoemail",
        ),
        *("supervisor", "supervisoremail", "supervisorsemail", "supervisoremailaddress", "directmanager"),
        *("directmanageremail", "directmanageremailaddress", "reportingmanageremail"),
    ),
    "role": ("role", "jobrole", "jobtitle", "position"),
    "sub_role": ("subrole",),
    "team": ("team", "teamname"),
    "department": ("department", "departmentname", "dept"),
    "site": ("site", "location", "office", "officelocation", "worklocation"),
    TIME_ZONE: ("timezone", "tz"),
    IDENTITIES: (
        *("identities", "identity", "logins", "login", "accounts", "aliases", "emailaliases", "otheremails"),
        *("previousemail", "previousemails", "formeremail", "formeremails", "oldemail", "previousaddress"),
        *("githublogin", "githubusername"),
    ),
    START: ("start", "startdate", "startson", "hiredate", "hiredon", "joindate", "joiningdate", "dateofjoining"),
    END: ("end", "enddate", "endson", "leavingdate", "leavedate", "lefton", "terminationdate", "exitdate", "lastdate"),
}
_KNOWN = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}
_SEVERAL = frozenset({IDENTITIES})
# Parts of unknown headers, in several languages, that suggest these columns: the preview asks about such a column.
_LIKENESSES: Mapping[str, tuple[str, ...]] = {
    MANAGER: (
        *("manager", "supervisor", "reporting", "reportsto", "boss", "vorgesetzt", "fuhrungskraft", "supérieur"),
        *("superieur", "responsable", "chef", "leidinggevende", "jefe"),
    ),
    END: (
        *("terminat", "lastworking", "lastday", "leaving", "leavedate", "departure", "exit", "separation", "resign"),
        *("austritt", "letzterarbeitstag", "datedesortie", "uitdienst", "baja"),
    ),
}
_EXACT_LIKENESSES = {"n1": MANAGER}
_QUESTIONS = {
    MANAGER: (
        "Is this the manager? It will become an attribute and set no managers. To set managers, name the column "
        "“{name}”."
    ),
    END: (
        "Is this the first day after employment? It will become an attribute and end no employment. To end "
        "employments, name the column “{name}”."
    ),
}


def email_address(text: str) -> str:
    """The e-mail address in lower case."""
    try:
        return IdentityName(IdentityKind.EMAIL, "", text).value
    except UnusableNameError:
        raise CellError(f"“{text[:60]}” is not an e-mail address. Write it as name@example.com.") from None


def manager_address(text: str) -> str:
    if "@" not in text:
        raise CellError(f"“{text[:60]}” is not an e-mail address. Give the manager's e-mail address.")
    return email_address(text)


def identity_names(text: str) -> tuple[IdentityName, ...]:
    """Identities separated by semicolons: an e-mail address, a login, or a login with provider as in github:ada.

    A code host's no-reply address becomes its login.
    """
    return tuple(_identity_name(part.strip()) for part in text.split(";") if part.strip())


def _identity_name(text: str) -> IdentityName:
    provider, colon, login = text.partition(":")
    try:
        if colon and provider and login and "@" not in provider:
            return IdentityName(IdentityKind.LOGIN, provider.strip().lower(), login)
        if "@" in text:
            return IdentityName.of_address(text)
        return IdentityName(IdentityKind.LOGIN, "", text)
    except UnusableNameError as problem:
        raise CellError(f"“{text[:60]}”: {problem}") from None


@dataclass(frozen=True)
class Columns:
    """Columns by position; columns without a header are in `unnamed`."""

    known: Mapping[int, str]
    attributes: Mapping[int, str]
    width: int
    unnamed: frozenset[int]

    def name(self, position: int) -> str | None:
        """The column's name in error messages."""
        return self.known.get(position) or self.attributes.get(position)


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """The use of a file's column: as a known column, or as an attribute by its slug; empty: ignored.

    `question` asks for confirmation if the header resembles a known column but is not one.
    """

    head: str
    used_as: str
    is_attribute: bool
    question: str = ""


def uses_of(heads: Sequence[str], columns: Columns) -> list[ColumnUse]:
    """The use of each column, in order."""
    taken = set(columns.known.values())
    uses = []
    for position, head in enumerate(heads[:MOST_COLUMNS]):
        attribute = columns.attributes.get(position, "")
        resembled = _resembled(head) if attribute and _key(head) not in _KNOWN else ""
        question = _QUESTIONS[resembled].format(name=resembled) if resembled and resembled not in taken else ""
        uses.append(ColumnUse(head.strip(), columns.known.get(position) or attribute, bool(attribute), question))
    return uses


def _resembled(head: str) -> str:
    """The known column that an unknown header resembles; empty if none."""
    key = _key(head)
    alike = (name for name, parts in _LIKENESSES.items() if any(part in key for part in parts))
    return _EXACT_LIKENESSES.get(key) or next(alike, "")


def known_columns(heads: Sequence[str]) -> int:
    """Number of known headers, to detect the separator."""
    return len({_KNOWN[key] for head in heads if (key := _key(head)) in _KNOWN})


def columns_of(heads: Sequence[str], *, row: int) -> tuple[Columns, tuple[RowError, ...]]:
    """The file's columns and the errors of its header row."""
    problems = list(_problems_of_width(heads, row))
    known: dict[int, str] = {}
    attributes: dict[int, str] = {}
    unnamed = set()
    positions: dict[str, int] = {}
    for position, head in enumerate(heads[:MOST_COLUMNS]):
        try:
            text = clean(head)
        except CellError as problem:
            problems.append(RowError(row, None, f"The heading of column {position + 1}: {problem}"))
            continue
        if not text:
            unnamed.add(position)
            continue
        name = _KNOWN.get(_key(text))
        slug = attribute_slug(text) if name is None else name
        if not slug or len(text) > LONGEST_ATTRIBUTE:
            problem_text = f"The heading of column {position + 1} is not an attribute name: “{text[:30]}”."
            problems.append(RowError(row, None, f"{problem_text} Give it 1 to {LONGEST_ATTRIBUTE} letters or digits."))
            continue
        if slug in positions and slug not in _SEVERAL:
            problems.append(
                RowError(
                    row,
                    slug,
                    f"Columns {positions[slug] + 1} and {position + 1} both say {slug}. Remove or rename one of them.",
                )
            )
            continue
        positions.setdefault(slug, position)
        if slug in KNOWN_ATTRIBUTES or name is None:
            attributes[position] = slug
        else:
            known[position] = slug
    if EMAIL not in known.values():
        problems.append(
            RowError(row, EMAIL, "The file has no column of e-mail addresses. Name a column “email” in the first row.")
        )
    return Columns(known, attributes, len(heads), frozenset(unnamed)), tuple(problems)


def attribute_slug(head: str) -> str:
    """The slug as in `--where cost_center=…`: Cost Center → cost_center."""
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFKC", head).lower()).strip("_")[:LONGEST_ATTRIBUTE]


def attribute_name(slug: str) -> str:
    """Display name: cost_center → Cost center."""
    words = {"sub_role": "Sub-role"}.get(slug) or slug.replace("_", " ")
    return words[:1].upper() + words[1:]


def _problems_of_width(heads: Sequence[str], row: int) -> Iterator[RowError]:
    if len(heads) > MOST_COLUMNS:
        message = (
            f"The file has {len(heads)} columns; at most {MOST_COLUMNS} are allowed. Remove the ones you don't need."
        )
        yield RowError(row, None, message)


def _key(head: str) -> str:
    # “Employee #” is a number, not the employee's name.
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", head).lower().replace("#", "number"))
