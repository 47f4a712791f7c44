"""The tools of a flavour: which provider shows which part of the delivery history, and where repositories are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from demo.plan.repositories import ORGANISATION_LOGIN, DemoRepository

AGENTS = "anthropic"  # the vendor that bills what agents do
PUSHED = ""  # what no tool has, and a script pushes
# A repository's path at its provider, where that is not organisation/name.
_PATHS: Mapping[str, str] = {
    "azure": "{organisation}/{team}/_git/{name}",
    "gitlab": "{organisation}/{group}/{name}",
}


@dataclass(frozen=True, slots=True)
class Tools:
    """The provider of each part; one provider may have several.

    `code` has pull requests, and builds and deploys; what repositories.BUILT_APART names, `builds` does.
    """

    code: str = "github"
    planning: str = "jira"
    builds: str = "jenkins"
    incidents: str = "pagerduty"

    @property
    def providers(self) -> tuple[str, ...]:
        """Each provider once; the code host, which has the most history to play before it responds, comes last."""
        others = dict.fromkeys((self.planning, self.builds, self.incidents, AGENTS))
        return (*(provider for provider in others if provider not in (PUSHED, self.code)), self.code)

    @property
    def host(self) -> str:
        """The fictitious host of the repositories."""
        return f"{self.code}.example.com"

    def page_of(self, repository: DemoRepository) -> str:
        """Host and path of the repository."""
        path = _PATHS.get(self.code, "{organisation}/{name}")
        named = {"team": repository.team, "group": group_of(repository.team), "name": repository.name}
        return f"{self.host}/{path.format(organisation=ORGANISATION_LOGIN, **named)}"

    def clone_address(self, repository: DemoRepository) -> str:
        """The address from which it would be cloned."""
        page = f"https://{self.page_of(repository)}"
        return page if self.code == "azure" else f"{page}.git"


def group_of(team: str) -> str:
    """The path of the team's group below the organisation's."""
    return team.lower()
