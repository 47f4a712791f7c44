"""Ownership in the demo: confirms the proposed owners."""

from __future__ import annotations

from demo.plan.repositories import REPOSITORIES, project_key
from demo.plan.tools import Tools
from integrations.connectors.git.repository import one_spelling
from integrations.delivery.ownership.proposals import confirm_proposed
from integrations.models import Owned, OwnedKind, Repository
from orgtree.models import OrgTree


def confirm_demo_owners(tools: Tools) -> int:
    """Assign each repository, in every tree, to the unit proposed for it; return how many.  A second call changes
    nothing.

    A project of Jira, Linear or Azure DevOps has the owner of the repository whose work is planned there.  A service
    has the owner of the repository that it is deployed from, if no deployment names both.
    """
    for repository in REPOSITORIES:
        known = Repository.objects.filter(remote=one_spelling(tools.clone_address(repository))).first()
        keys = (project_key(repository.name), repository.team)
        projects = Owned.objects.filter(kind=OwnedKind.PROJECT, project__key__in=keys)
        services = Owned.objects.filter(
            kind=OwnedKind.SERVICE, name__in=(repository.service, repository.name), follows=None
        )
        if known is not None:
            projects.update(follows=known)
            services.update(follows=known)
    return confirm_proposed(OrgTree.objects.filter(archived_at=None), by=None).confirmed
