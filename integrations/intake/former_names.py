"""Former names of repositories: tools continue to use them until the end of a build, or for years."""

from __future__ import annotations

from integrations.intake.names import folded, spelled
from integrations.models import Repository, RepositoryAlias


def note_former_names(instance: Repository, **_: object) -> None:
    """Signal: a repository is about to get another name or address."""
    if instance._state.adding:
        return
    before = Repository.objects.filter(pk=instance.pk).values_list("name", "remote").first()
    if before is None:
        return
    now = {folded(spelled(instance.name)), folded(instance.remote)}
    former = {folded(spelled(name)) for name in before} - now - {""}
    RepositoryAlias.objects.bulk_create(
        [RepositoryAlias(repository=instance, name=name) for name in sorted(former)], ignore_conflicts=True
    )
