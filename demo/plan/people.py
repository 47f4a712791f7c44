"""The people of the demo organisation.  None of them exists; example.com is reserved for such people."""

from __future__ import annotations

import enum
from dataclasses import dataclass

ORGANISATION_NAME = "Example Orchard (demo)"


def email_of(full_name: str) -> str:
    return f"{full_name.lower().replace(' ', '.')}@example.com"


class Habit(enum.Enum):
    """A person's use of an agent: the chance of using it on a workday, and sessions on such a day."""

    DAILY = (0.9, 3.4)
    REGULAR = (0.65, 2.4)
    OCCASIONAL = (0.25, 1.4)

    def __init__(self, chance_of_a_workday: float, sessions_a_day: float) -> None:
        self.chance_of_a_workday = chance_of_a_workday
        self.sessions_a_day = sessions_a_day


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """`took_up` is the number of weeks before the demo's end at which regular use begins."""

    full_name: str
    team: str
    time_zone: str
    habit: Habit
    took_up: int
    terminal: str = "vscode"

    @property
    def email(self) -> str:
        return email_of(self.full_name)


CHECKOUT, SEARCH, PLATFORM, MOBILE, DATA, TOOLING = "Checkout", "Search", "Platform", "Mobile", "Data", "Tooling"
LOGISTICS = "Logistics"
BERLIN, LISBON, NEW_YORK, SAO_PAULO, KOLKATA = (
    "Europe/Berlin",
    "Europe/Lisbon",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
)

PILOT_WEEKS = 7  # before the demo's end half of Logistics begins; the other half has no agent
NEVER = 0

PEOPLE: tuple[DemoPerson, ...] = (
    DemoPerson("Maya Manager", CHECKOUT, BERLIN, Habit.OCCASIONAL, 44),
    DemoPerson("Max Member", CHECKOUT, BERLIN, Habit.DAILY, 50, "iTerm.app"),
    DemoPerson("Wren Example", CHECKOUT, BERLIN, Habit.DAILY, 46),
    DemoPerson("Juniper Sample", CHECKOUT, LISBON, Habit.REGULAR, 38),
    DemoPerson("Alder Specimen", CHECKOUT, BERLIN, Habit.REGULAR, 30),
    DemoPerson("Clementine Mockley", CHECKOUT, LISBON, Habit.DAILY, 34, "tmux"),
    DemoPerson("Basil Placeholder", CHECKOUT, BERLIN, Habit.OCCASIONAL, 32),
    DemoPerson("Sorrel Testwell", SEARCH, NEW_YORK, Habit.DAILY, 51),
    DemoPerson("Finch Imagined", SEARCH, NEW_YORK, Habit.DAILY, 42, "iTerm.app"),
    DemoPerson("Hazel Fictus", SEARCH, NEW_YORK, Habit.REGULAR, 36),
    DemoPerson("Rowan Pretend", SEARCH, SAO_PAULO, Habit.REGULAR, 28),
    DemoPerson("Linden Example", SEARCH, SAO_PAULO, Habit.REGULAR, 28),
    DemoPerson("Saffron Sample", SEARCH, NEW_YORK, Habit.OCCASIONAL, 30),
    DemoPerson("Robin Specimen", PLATFORM, BERLIN, Habit.DAILY, 51, "tmux"),
    DemoPerson("Cedar Mockley", PLATFORM, BERLIN, Habit.DAILY, 48, "xterm-256color"),
    DemoPerson("Ivy Placeholder", PLATFORM, LISBON, Habit.DAILY, 34, "tmux"),
    DemoPerson("Heron Testwell", PLATFORM, KOLKATA, Habit.REGULAR, 32),
    DemoPerson("Marigold Imagined", PLATFORM, KOLKATA, Habit.REGULAR, 30),
    DemoPerson("Ash Fictus", PLATFORM, BERLIN, Habit.REGULAR, 27, "xterm-256color"),
    DemoPerson("Poppy Pretend", PLATFORM, BERLIN, Habit.OCCASIONAL, 29),
    DemoPerson("Willow Example", MOBILE, LISBON, Habit.REGULAR, 40),
    DemoPerson("Lark Sample", MOBILE, LISBON, Habit.REGULAR, 33),
    DemoPerson("Tansy Specimen", MOBILE, BERLIN, Habit.REGULAR, 26),
    DemoPerson("Jay Mockley", MOBILE, BERLIN, Habit.OCCASIONAL, 26),
    DemoPerson("Bramble Placeholder", MOBILE, NEW_YORK, Habit.REGULAR, 26),
    DemoPerson("Clover Testwell", MOBILE, NEW_YORK, Habit.OCCASIONAL, 26),
    DemoPerson("Elm Imagined", MOBILE, LISBON, Habit.OCCASIONAL, 26),
    DemoPerson("Fennel Fictus", DATA, KOLKATA, Habit.DAILY, 47, "vscode"),
    DemoPerson("Heather Pretend", DATA, KOLKATA, Habit.REGULAR, 39),
    DemoPerson("Kestrel Example", DATA, KOLKATA, Habit.REGULAR, 31),
    DemoPerson("Nettle Sample", DATA, BERLIN, Habit.REGULAR, 29),
    DemoPerson("Olive Specimen", DATA, BERLIN, Habit.REGULAR, 28),
    DemoPerson("Plum Mockley", DATA, KOLKATA, Habit.OCCASIONAL, 31),
    DemoPerson("Quill Placeholder", TOOLING, SAO_PAULO, Habit.DAILY, 52, "tmux"),
    DemoPerson("Rue Testwell", TOOLING, SAO_PAULO, Habit.DAILY, 45, "tmux"),
    DemoPerson("Sage Imagined", TOOLING, NEW_YORK, Habit.REGULAR, 37),
    DemoPerson("Thistle Fictus", TOOLING, NEW_YORK, Habit.REGULAR, 29),
    DemoPerson("Umber Pretend", TOOLING, SAO_PAULO, Habit.REGULAR, 27, "xterm-256color"),
    DemoPerson("Violet Example", TOOLING, NEW_YORK, Habit.OCCASIONAL, 28),
    DemoPerson("Yarrow Sample", TOOLING, SAO_PAULO, Habit.REGULAR, 26),
    DemoPerson("Aspen Fictus", LOGISTICS, LISBON, Habit.REGULAR, PILOT_WEEKS),
    DemoPerson("Briar Sample", LOGISTICS, LISBON, Habit.REGULAR, PILOT_WEEKS),
    DemoPerson("Camellia Testwell", LOGISTICS, LISBON, Habit.DAILY, PILOT_WEEKS),
    DemoPerson("Fern Imagined", LOGISTICS, LISBON, Habit.REGULAR, PILOT_WEEKS),
    DemoPerson("Iris Mockley", LOGISTICS, LISBON, Habit.REGULAR, PILOT_WEEKS),
    DemoPerson("Laurel Pretend", LOGISTICS, LISBON, Habit.OCCASIONAL, PILOT_WEEKS),
    DemoPerson("Linnet Example", LOGISTICS, LISBON, Habit.REGULAR, PILOT_WEEKS),
    DemoPerson("Plover Specimen", LOGISTICS, LISBON, Habit.DAILY, PILOT_WEEKS),
    DemoPerson("Sedge Placeholder", LOGISTICS, LISBON, Habit.REGULAR, PILOT_WEEKS),
    DemoPerson("Birch Example", LOGISTICS, BERLIN, Habit.REGULAR, NEVER),
    DemoPerson("Dahlia Specimen", LOGISTICS, BERLIN, Habit.REGULAR, NEVER),
    DemoPerson("Hawthorn Mockley", LOGISTICS, BERLIN, Habit.REGULAR, NEVER),
    DemoPerson("Lilac Placeholder", LOGISTICS, BERLIN, Habit.OCCASIONAL, NEVER),
    DemoPerson("Myrtle Imagined", LOGISTICS, BERLIN, Habit.REGULAR, NEVER),
    DemoPerson("Petrel Testwell", LOGISTICS, BERLIN, Habit.REGULAR, NEVER),
    DemoPerson("Primrose Pretend", LOGISTICS, BERLIN, Habit.REGULAR, NEVER),
    DemoPerson("Reed Fictus", LOGISTICS, BERLIN, Habit.DAILY, NEVER),
    DemoPerson("Siskin Sample", LOGISTICS, BERLIN, Habit.REGULAR, NEVER),
)


def team(name: str) -> frozenset[str]:
    """The e-mail addresses of a team's people."""
    return frozenset(person.email for person in PEOPLE if person.team == name)


def addresses(*full_names: str) -> frozenset[str]:
    """The e-mail addresses of people by name.  Raises KeyError with the name of anybody who is not in the
    organisation.
    """
    by_name = {person.full_name: person.email for person in PEOPLE}
    return frozenset(by_name[full_name] for full_name in full_names)
