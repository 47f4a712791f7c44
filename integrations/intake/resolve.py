"""Resolves names in drafts: repositories and services that another connection, a push or a git path provides.

A repository is found by the provider's own id, then by its address, its name, and an admin's rule.  A name without a
host may lack the owner if only one repository matches.  A name at a host with known repositories can only mean a
repository of that host.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import F

from core import sql
from core.cache import Cache
from integrations.enums import ResourceKind
from integrations.intake.names import address_in, folded, folded_service, host_of, last_part, spelled
from integrations.intake.placing_rules import RuleSet, names_of_repository, rules_of
from integrations.models import (
    Connection,
    Owned,
    OwnedKind,
    PlacingRule,
    Repository,
    RepositorySource,
    Resource,
    UnplacedReason,
)

MOST_NAMES = 5  # per sentence
SECONDS_SHOWN = 30  # for which a page may show a service by its former name
# A name at one of these hosts is an address, whether or not any repository there is known.
PUBLIC_HOSTS = frozenset({"github.com", "gitlab.com", "bitbucket.org", "dev.azure.com", "codeberg.org"})


class Named(NamedTuple):
    """A record's name for its repository, and its pipeline or service."""

    repository: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """The repository or project that a name means; without `id`, the reason why it means none."""

    id: int | None = None
    by_rule: bool = False
    reason: UnplacedReason | None = None
    detail: str = ""


NOWHERE = Place(reason=UnplacedReason.UNKNOWN, detail="No connection knows it.")


class _Known(NamedTuple):
    id: int
    name: str
    remote: str
    counted_as: int  # itself, unless an admin joined it with another one

    def __str__(self) -> str:
        return self.remote or self.name


def resolve_repositories(connection: Connection, names: Collection[Named]) -> Mapping[Named, Place]:
    """The place that each name means, by address, name or rule."""
    if not names:
        return {}
    found = _Repositories.of({spelled(named.repository) for named in names if named.repository})
    rules = rules_of(connection, PlacingRule.Subject.REPOSITORY)
    return {named: _place(named, found, rules) for named in names}


def _place(named: Named, found: _Repositories, rules: RuleSet) -> Place:
    if not named.repository:
        place = Place(reason=UnplacedReason.NAMELESS, detail="It names no repository.")
    else:
        known = found.called(spelled(named.repository))
        if len({one.counted_as for one in known}) == 1:
            return Place(next((one.id for one in known if one.id == one.counted_as), known[0].id))
        place = NOWHERE if not known else Place(reason=UnplacedReason.AMBIGUOUS, detail=_several(known))
    deciding = rules.deciding(names_of_repository(*named))
    if len(deciding) == 1:
        return Place(deciding[0].repository_id, by_rule=True)
    if deciding:
        return Place(reason=UnplacedReason.RULES, detail=f"Rules conflict: {_listed(deciding)}.")
    return place


@dataclass(slots=True)
class _Repositories:
    """Repositories that may have one of the names, by the last part of their own name."""

    by_last_part: Mapping[str, list[_Known]]
    former: Mapping[str, list[_Known]]
    on_disk: Mapping[str, _Known]
    _hosts: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Collection[str]) -> _Repositories:
        by_last_part: dict[str, list[_Known]] = defaultdict(list)
        former: dict[str, list[_Known]] = defaultdict(list)
        if not names:
            return cls(by_last_part, former, {})
        parts = {variant for name in names for variant in _variants(last_part(name))}
        for id_, name, remote, counted_as in sql.rows(_CALLED, {"parts": sorted(parts)}):
            for part in {folded(last_part(name)), folded(last_part(remote))} - {""}:
                by_last_part[part].append(_Known(id_, name, remote, counted_as))
        for alias, id_, name, remote, counted_as in sql.rows(_FORMER, {"parts": sorted(parts)}):
            former[folded(last_part(alias))].append(_Known(id_, alias, remote or name, counted_as))
        paths = {path for name in names if name.startswith("/") for path in (name, f"{name}.git", f"{name}/.git")}
        sources = RepositorySource.objects.filter(external_id__in=paths, repository__isnull=False)
        on_disk = {
            spelled(path): _Known(id_, name, remote, id_)
            for path, id_, name, remote in sources.values_list(
                "external_id", "repository_id", "repository__name", "repository__remote"
            )
        }
        return cls(by_last_part, former, on_disk)

    def called(self, name: str) -> list[_Known]:
        """The repositories that the spelled name may mean."""
        if name in self.on_disk:
            return [self.on_disk[name]]
        candidates = self.by_last_part.get(folded(last_part(name)), [])
        address = folded(address_in(name) or name)
        at_address = [known for known in candidates if folded(known.remote) == address]
        if at_address:
            return at_address[:1]
        strict = self._is_of_known_host(name)
        if strict:
            candidates = [known for known in candidates if not known.remote]
        return _called(name, candidates) or self._formerly(name, strict=strict)

    def _formerly(self, name: str, *, strict: bool) -> list[_Known]:
        """Repositories that formerly had this name or address; unless `strict`, also those whose former name ends with
        its path.
        """
        candidates = self.former.get(folded(last_part(name)), [])
        address = folded(address_in(name) or name)
        exact = [known for known in candidates if folded(known.name) == address]
        found = exact or ([] if strict else [known for known in candidates if _ends_with(known.name, _path(name))])
        return [next(known for known in found if known.id == id_) for id_ in dict.fromkeys(known.id for known in found)]

    def _is_of_known_host(self, name: str) -> bool:
        host = host_of(name)
        if host and host not in self._hosts:
            self._hosts[host] = (
                host in PUBLIC_HOSTS or Repository.objects.filter(remote__istartswith=f"{host}/").exists()
            )
        return bool(host) and self._hosts[host]


def _called(name: str, candidates: Iterable[_Known]) -> list[_Known]:
    path = _path(name)
    if "/" in path:
        return [known for known in candidates if folded(known.name) == path or _ends_with(known.remote, path)]
    named_so = [known for known in candidates if folded(known.name) == path and not known.remote]
    return named_so or list(candidates)


def _path(name: str) -> str:
    return folded(name.partition("/")[2] if host_of(name) else name)


def _ends_with(name: str, path: str) -> bool:
    return folded(name) == path or folded(name).endswith(f"/{path}")


def _variants(part: str) -> set[str]:
    """The part in different cases: PostgreSQL may only convert the case of ASCII letters."""
    return {part, part.lower(), folded(part)}


def _several(known: Collection[_Known]) -> str:
    return f"{len(known)} repositories have this name: {_listed(sorted(known))}."


def _listed(items: Collection[object]) -> str:
    shown = [str(item) for item in items][:MOST_NAMES]
    return ", ".join(shown) + (f" and {len(items) - MOST_NAMES} more" if len(items) > MOST_NAMES else "")


_CALLED = """
    SELECT id, name, remote, coalesce(joined_into_id, id) FROM integrations_repository
    WHERE split_part(name, '/', -1) = ANY (%(parts)s) OR lower(split_part(name, '/', -1)) = ANY (%(parts)s)
       OR split_part(remote, '/', -1) = ANY (%(parts)s) OR lower(split_part(remote, '/', -1)) = ANY (%(parts)s)
    ORDER BY id
"""
_FORMER = """
    SELECT alias.name, repository.id, repository.name, repository.remote,
           coalesce(repository.joined_into_id, repository.id)
    FROM integrations_repositoryalias alias JOIN integrations_repository repository ON repository.id = repository_id
    WHERE split_part(alias.name, '/', -1) = ANY (%(parts)s)
    ORDER BY alias.id DESC
"""


# Services ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Service:
    """The name by which a service is stored; `named` is the name in its record."""

    name: str
    by_rule: bool = False
    named: str = ""


def resolve_services(connection: Connection, names: Collection[str]) -> Mapping[str, Service]:
    """Each name with the service that was first known under it; case and punctuation are ignored.

    A rule takes precedence, because a name otherwise always means some service, at least one of that name.  A service
    that a provider lists is identified by its id there: its records, and all names that it has or had, are stored under
    its first name.
    """
    if not names:
        return {}
    rules = rules_of(connection, PlacingRule.Subject.SERVICE)
    known: dict[str, str] = {}
    services = Owned.objects.filter(kind=OwnedKind.SERVICE).order_by("pk").values_list("name", flat=True)
    for name in services.iterator():
        known.setdefault(folded_service(name), name)
    listed = Resource.objects.filter(kind=ResourceKind.SERVICE).exclude(service="").order_by("pk")
    by_id: dict[str, tuple[str, str]] = {}
    renamed: dict[str, str] = {}
    formerly: dict[str, str] = {}
    columns = ("connection", "external_id", "name", "service", "former_names")
    for owner, external_id, called, service, names_before in listed.values_list(*columns):
        if owner == connection.pk:
            by_id[external_id] = (called, service)
        if called != service:
            renamed.setdefault(folded_service(called), service)
        formerly |= {folded_service(before): service for before in names_before}
    resolved = {}
    for name in sorted(names):
        folded_name = folded_service(name)
        now = renamed.get(folded_name) or (name if folded_name in known else formerly.get(folded_name, name))
        called, service = by_id.get(name) or (name, now)
        deciding = rules.deciding([called])
        target = deciding[0].service if len(deciding) == 1 else service
        stored = known.setdefault(folded_service(target), target)
        resolved[name] = Service(stored, by_rule=len(deciding) == 1, named=called)
    return resolved


renamed_services: Cache[Mapping[str, str]] = Cache(8_000_000, lambda names: 100 + 300 * len(names))
"""The present names of renamed services by the names under which their records are stored, by step of time."""


def shown_service(service: str) -> str:
    """The present name of a service that is stored under the given name."""
    step = str(int(time.time() // SECONDS_SHOWN))
    renamed = renamed_services.get(step)
    if renamed is None:
        listed = Resource.objects.filter(kind=ResourceKind.SERVICE).exclude(service__in=["", F("name")]).order_by("-pk")
        renamed = dict(listed.values_list("service", "name"))
        renamed_services.put(step, renamed)
    return renamed.get(service, service)
