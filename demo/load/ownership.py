"""Ownership in the demo: confirms the proposed owners."""

from __future__ import annotations

from demo.plan.repositories import REPOSITORIES, project_key
from integrations.connectors.git.repository import one_spelling
from integrations.delivery.ownership.proposals import confirm_proposed
from integrations.models import Owned, OwnedKind, Repository
from orgtree.models import OrgTree


def confirm_demo_owners() -> int:
    """Give each repository, in every tree, to whom it is proposed for; how many.  A second call changes nothing.

    A project of Jira has the owner of the repository on which work is planned there.
    """
    for repository in REPOSITORIES:
        known = Repository.objects.filter(remote=one_spelling(repository.address)).first()
        projects = Owned.objects.filter(kind=OwnedKind.PROJECT, project__key=project_key(repository.name))
        if known is not None:
            projects.update(follows=known)
    return confirm_proposed(OrgTree.objects.filter(archived_at=None), by=None).confirmed
