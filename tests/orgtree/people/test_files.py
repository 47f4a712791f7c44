"""People files: accepted formats and errors."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import find

from orgtree.models import Person
from orgtree.people_import.drafts import PersonDraft, RowError
from orgtree.people_import.rows import MOST_ROWS, drafts_of
from tests.orgtree.people.files import counts, load

HEAD = "full_name,email,manager_email,team,start,end"


def drafts(content: bytes | str) -> list[PersonDraft]:
    """Those of a file without errors."""
    drafts = list(drafts_of(content.encode() if isinstance(content, str) else content))
    problems = [draft for draft in drafts if isinstance(draft, RowError) or draft.errors]
    assert not problems, problems
    return [draft for draft in drafts if isinstance(draft, PersonDraft)]


def errors(content: bytes | str) -> list[RowError]:
    row_errors: list[RowError] = []
    for draft in drafts_of(content.encode() if isinstance(content, str) else content):
        row_errors += [draft] if isinstance(draft, RowError) else draft.errors
    return row_errors


@pytest.mark.parametrize(
    "head",
    [
        "full_name,email,manager_email,start",
        "Full Name,E-Mail,Manager's e-mail,Start date",
        "NAME,Work Email,Reports to,Hire date",
        "display-name,EMAIL ADDRESS,line_manager,START-DATE",
        "Employee name,e_mail,Manager,Date of joining",
        "\ufeffName , Mail ,Manager’s E-Mail,start_date",
    ],
)
def test_heads_are_understood_however_they_are_spelt(head: str) -> None:
    (draft,) = drafts(f"{head}\nAda Lovelace,ada@example.com,grace@example.com,2024-01-31")
    assert (draft.full_name, draft.email, draft.manager_email) == (
        "Ada Lovelace",
        "ada@example.com",
        "grace@example.com",
    )
    assert str(draft.starts_on) == "2024-01-31"
    assert draft.attributes == {}


def test_first_and_last_name_make_a_name_and_other_columns_attributes() -> None:
    (draft,) = drafts(
        "First Name;Last Name;Email;Job title;Office;Cost Center;職位\nAda;Lovelace;a@b.example;Dev;Pune;47;x"
    )
    assert draft.full_name == "Ada Lovelace"
    assert draft.attributes == {"role": "Dev", "site": "Pune", "cost_center": "47", "職位": "x"}


def test_a_column_of_employee_numbers_is_no_column_of_names() -> None:
    (draft,) = drafts("Employee #,First Name,Last Name,Work Email\n7,Ada,Lovelace,ada@example.com")
    assert draft.full_name == "Ada Lovelace"
    assert draft.attributes == {"employee": "7"}


TEXT = 'Name{0}Email{0}Team\n"Zoë\nAda"{0}zoe@example.com{0}Päyments\n\nשרה לוי{0}sara@example.com{0}Search\n'


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
    ],
)
def test_any_separator_in_any_unicode(separator: str, mark: bytes, encoding: str) -> None:
    for ends in ("\n", "\r\n"):
        content = mark + TEXT.format(separator).replace("\n", ends).encode(encoding)
        zoe, sara = drafts(content)
        assert (zoe.full_name, zoe.attributes) == ("Zoë Ada", {"team": "Päyments"})
        assert (sara.full_name, sara.row) == ("שרה לוי", 4)  # the empty row counts, the line break in a cell does not


def test_a_spreadsheet_may_name_its_separator() -> None:
    (draft,) = drafts("sep=;\nname;email\nLovelace, Ada;ada@example.com")
    assert (draft.full_name, draft.row) == ("Lovelace, Ada", 3)


def test_text_is_brought_into_one_form() -> None:
    (draft,) = drafts(
        "name,email,team\n  Zoe\u0308\u200b \u00a0 Ada\u202e ,\ufeffADA@Example.com\u200d,می\u200cخواهم\n".encode()
    )
    assert draft.full_name == "Zoë Ada"
    assert draft.email == "ada@example.com"
    assert draft.attributes == {"team": "می\u200cخواهم"}  # between letters that join, a joiner has a meaning


def test_formulas_are_text() -> None:
    (draft,) = drafts("name,email,team\n\"=cmd|'/c calc'!A1\",ada@example.com,@SUM(1+1)")
    assert draft.full_name == "=cmd|'/c calc'!A1"
    assert draft.attributes == {"team": "@SUM(1+1)"}


def test_identities_are_addresses_and_logins() -> None:
    (draft,) = drafts(
        'email,identities,previous_email\nada@example.com,"ADA@home.example; github:adal;ada-l",old@example.com'
    )
    assert [(name.kind, name.provider, name.value) for name in draft.identities] == [
        ("email", "", "ada@home.example"),
        ("login", "github", "adal"),
        ("login", "", "ada-l"),
        ("email", "", "old@example.com"),
    ]


@pytest.mark.parametrize(
    ("cells", "column", "message"),
    [
        ("Ada,,,,,", "email", "missing"),
        ("Ada,ada,,,,", "email", "not an e-mail address"),
        ("Ada,a b@example.com,,,,", "email", "not an e-mail address"),
        ("Ada,ada@example.com,Grace Hopper,,,", "manager_email", "manager's e-mail address"),
        ("Ada,ada@example.com,,,soon,", "start", "Write it as 2026-01-31"),
        ("Ada,ada@example.com,,,1/2/2026,", "start", "Write it as 2026-01-31"),
        ("Ada,ada@example.com,,,2026-02-30,", "start", "There is no day"),
        ("Ada,ada@example.com,,,0204-01-01,", "start", "outside the years"),
        ("Ada,ada@example.com,,,2026-02-01,2026-02-01", "end", "not after the start"),
        ("Ada,ada@example.com,,,2026-02-01,31.01.2026", "end", "first day after employment"),
        (f"{'A' * 201},ada@example.com,,,,", "full_name", "201 characters"),
        (f"Ada,ada@example.com,,{'t' * 201},,", "team", "201 characters"),
        ("A\x07da,ada@example.com,,,,", "full_name", "control characters"),
        ("Ada,ada@example.com,,", None, "4 cells, the head 6"),
        ("Ada,ada@example.com,,,,,x", None, "7 cells"),
        (f"Ada,ada@example.com{',x' * 198}", None, "200 cells"),
    ],
)
def test_an_error_names_row_column_and_remedy(cells: str, column: str | None, message: str) -> None:
    (error,) = errors(f"{HEAD}\nGrace,grace@example.com,,,,\n{cells}\n")
    assert (error.row, error.column) == (3, column)
    assert message in error.message


def test_all_errors_of_all_rows_are_reported_at_once() -> None:
    row_errors = errors(f"{HEAD},time_zone\nAda,ada,Grace,,x,y,Mars/Base\nGrace,,,,,,\n")
    assert [(error.row, error.column) for error in row_errors] == [
        (2, "email"),
        (2, "start"),
        (2, "end"),
        (2, "manager_email"),
        (2, "time_zone"),
        (3, "email"),
    ]


@pytest.mark.parametrize(
    ("content", "row", "column", "message"),
    [
        (b"", None, None, "empty"),
        (b"\xef\xbb\xbf", None, None, "no people"),
        (b"name,team\nAda,Search", 1, "email", "no column of e-mail addresses"),
        (b"email,name,Full Name\na@b.example,A,B", 1, "full_name", "both say full_name"),
        (b"email\n", None, None, "no people"),
        (b"email,name\nada@example.com,\xe4", 2, None, "Save it as"),
        (b'email,name\nada@example.com,"Ada', 2, None, "never closed"),
        (b'email,name\nada@example.com,"Ada"x\n', 2, None, "quotation mark"),
        (b"email,name\na@b.example," + b"x" * 20_001, 2, None, "20,000 characters"),
        (b"email,name\na@b.example," + b"x" * 200_000, 2, None, "20,000 characters"),
        (b"email,,name\na@b.example,x,A", 2, None, "Column 2 has no head"),
        (b"email,!!\na@b.example,x", 1, None, "not an attribute name"),
        (b"email" + b"".join(b",c%d" % n for n in range(250)), 1, None, "251 columns"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_file_that_makes_no_sense_is_refused_in_words(
    content: bytes, row: int | None, column: str | None, message: str
) -> None:
    (error,) = errors(content)
    assert (error.row, error.column) == (row, column)
    assert message in error.message


def test_two_hundred_columns_are_read() -> None:
    heads = ",".join(f"Skill {number}" for number in range(199))
    (draft,) = drafts(f"email,{heads}\nada@example.com{',yes' * 199}")
    assert len(draft.attributes) == 199


def test_more_people_than_fit_are_refused_and_never_held_at_once() -> None:
    content = b"email\n" + b"".join(b"p%d@example.com\n" % number for number in range(MOST_ROWS + 1))
    *read, last = drafts_of(content)
    assert len(read) == MOST_ROWS
    assert isinstance(last, RowError)
    assert (last.row, last.message) == (MOST_ROWS + 2, "The file has more than 100,000 rows. Import it in parts.")


@pytest.mark.django_db
def test_the_example_file_that_the_page_offers_can_be_imported() -> None:

    path = find("examples/people.csv")
    assert isinstance(path, str)
    assert counts(load(Path(path).read_bytes())) == {"added": 3}
    assert Person.objects.count() == 3
