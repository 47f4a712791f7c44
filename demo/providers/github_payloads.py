"""Records as GitHub's REST API and webhooks write them, field by field: people, repositories, commits.

The shapes are those of the public API (version 2022-11-28) and are held by tests against public example payloads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.plan.delivery import Account, Commit, Repository

Json = dict[str, Any]

_USER_ADDRESSES = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPOSITORY_ADDRESSES = {
    "forks_url": "/forks",
    "keys_url": "/keys{/key_id}",
    "collaborators_url": "/collaborators{/collaborator}",
    "teams_url": "/teams",
    "hooks_url": "/hooks",
    "issue_events_url": "/issues/events{/number}",
    "events_url": "/events",
    "assignees_url": "/assignees{/user}",
    "branches_url": "/branches{/branch}",
    "tags_url": "/tags",
    "blobs_url": "/git/blobs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "trees_url": "/git/trees{/sha}",
    "statuses_url": "/statuses/{sha}",
    "languages_url": "/languages",
    "stargazers_url": "/stargazers",
    "contributors_url": "/contributors",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "commits_url": "/commits{/sha}",
    "git_commits_url": "/git/commits{/sha}",
    "comments_url": "/comments{/number}",
    "issue_comment_url": "/issues/comments{/number}",
    "contents_url": "/contents/{+path}",
    "compare_url": "/compare/{base}...{head}",
    "merges_url": "/merges",
    "archive_url": "/{archive_format}{/ref}",
    "downloads_url": "/downloads",
    "issues_url": "/issues{/number}",
    "pulls_url": "/pulls{/number}",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "labels_url": "/labels{/name}",
    "releases_url": "/releases{/id}",
    "deployments_url": "/deployments",
}


def when(at: datetime) -> str:
    """An instant as GitHub writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def when_or_none(at: datetime | None) -> str | None:
    return None if at is None else when(at)


@dataclass(frozen=True)
class Payloads:
    """Payloads with addresses at one host: `api` of the API, `web` of the pages, both without a slash at the end.

    `logins` are those of accounts that were renamed since, by their ids.
    """

    api: str
    web: str
    owner: Account
    logins: Mapping[int, str] = field(default_factory=dict)

    # People -----------------------------------------------------------------------------------------------------

    def login(self, account: Account) -> str:
        return self.logins.get(account.id, account.login)

    def user(self, account: Account) -> Json:
        login = self.login(account)
        address = f"{self.api}/users/{login}"
        kind = "Bot" if account.is_bot else "Organization" if account.is_organisation else "User"
        return {
            "login": login,
            "id": account.id,
            "node_id": f"U_{account.id}",
            "avatar_url": f"{self.web}/avatars/u/{account.id}?v=4",
            "gravatar_id": "",
            "url": address,
            "html_url": f"{self.web}/{login}",
            **{name: address + rest for name, rest in _USER_ADDRESSES.items()},
            "type": kind,
            "site_admin": False,
        }

    def user_or_none(self, account: Account | None) -> Json | None:
        return None if account is None else self.user(account)

    def whole_user(self, account: Account) -> Json:
        """GET /user and /users/{login}: with what the person's page says."""
        return self.user(account) | {"name": account.name or None, "company": None, "email": account.email or None}

    def team(self, slug: str) -> Json:
        return {"id": _number_of(slug), "node_id": f"T_{slug}", "name": slug, "slug": slug, "permission": "pull"}

    # Repositories -----------------------------------------------------------------------------------------------

    def full_name(self, repository: Repository) -> str:
        return f"{self.owner.login}/{repository.name}"

    def at(self, repository: Repository) -> str:
        """The repository's address in the API."""
        return f"{self.api}/repos/{self.full_name(repository)}"

    def repository(self, repository: Repository, *, changed_at: datetime | None = None) -> Json:
        full_name, address = self.full_name(repository), self.at(repository)
        page = f"{self.web}/{full_name}"
        host = self.web.partition("://")[2]
        changed = when(changed_at or repository.created_at)
        return {
            "id": repository.id,
            "node_id": f"R_{repository.id}",
            "name": repository.name,
            "full_name": full_name,
            "private": repository.is_private,
            "owner": self.user(self.owner),
            "html_url": page,
            "description": None,
            "fork": False,
            "url": address,
            **{name: address + rest for name, rest in _REPOSITORY_ADDRESSES.items()},
            "created_at": when(repository.created_at),
            "updated_at": changed,
            "pushed_at": changed,
            "git_url": f"git://{host}/{full_name}.git",
            "ssh_url": f"git@{host}:{full_name}.git",
            "clone_url": f"{page}.git",
            "svn_url": page,
            "homepage": None,
            "size": 1024,
            "stargazers_count": 0,
            "watchers_count": 0,
            "language": repository.language or None,
            "has_issues": True,
            "has_projects": True,
            "has_downloads": True,
            "has_wiki": False,
            "has_pages": False,
            "forks_count": 0,
            "mirror_url": None,
            "archived": repository.is_archived,
            "disabled": False,
            "open_issues_count": 0,
            "license": None,
            "forks": 0,
            "open_issues": 0,
            "watchers": 0,
            "default_branch": repository.default_branch,
            "is_template": False,
            "topics": [],
            "visibility": "private" if repository.is_private else "public",
            "web_commit_signoff_required": False,
            "custom_properties": {},
        }

    def label(self, repository: Repository, name: str) -> Json:
        number = _number_of(f"{repository.name}/{name}")
        return {
            "id": number,
            "node_id": f"LA_{number}",
            "url": f"{self.at(repository)}/labels/{name}",
            "name": name,
            "color": "d73a4a",
            "default": name in ("bug", "documentation", "enhancement"),
            "description": None,
        }

    def labels(self, repository: Repository, names: Iterable[str]) -> list[Json]:
        return [self.label(repository, name) for name in names]

    # Commits ----------------------------------------------------------------------------------------------------

    def commit(self, repository: Repository, commit: Commit, *, stats: bool = False) -> Json:
        """An element of a list of commits; `stats` as in GET /commits/{sha}."""
        address = self.at(repository)
        signed = {"name": commit.author_name, "email": commit.author_email}
        listed = {
            "sha": commit.sha,
            "node_id": f"C_{commit.sha}",
            "commit": {
                "author": {**signed, "date": when(commit.authored_at)},
                "committer": {**signed, "date": when(commit.committed_at)},
                "message": commit.message.rstrip("\n"),
                "tree": {"sha": tree_sha(commit), "url": f"{address}/git/trees/{tree_sha(commit)}"},
                "url": f"{address}/git/commits/{commit.sha}",
                "comment_count": 0,
                "verification": {
                    "verified": False,
                    "reason": "unsigned",
                    "signature": None,
                    "payload": None,
                    "verified_at": None,
                },
            },
            "url": f"{address}/commits/{commit.sha}",
            "html_url": f"{self.web}/{self.full_name(repository)}/commit/{commit.sha}",
            "comments_url": f"{address}/commits/{commit.sha}/comments",
            "author": self.user_or_none(commit.author),
            "committer": self.user_or_none(commit.author),
            "parents": [
                {
                    "sha": sha,
                    "url": f"{address}/commits/{sha}",
                    "html_url": f"{self.web}/{self.full_name(repository)}/commit/{sha}",
                }
                for sha in commit.parents
            ],
        }
        if stats:
            total = commit.additions + commit.deletions
            listed["stats"] = {"total": total, "additions": commit.additions, "deletions": commit.deletions}
            listed["files"] = [{"filename": path, "status": "modified"} for path in commit.paths]
        return listed


def reactions(address: str) -> Json:
    names = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": f"{address}/reactions", "total_count": 0, **dict.fromkeys(names, 0)}


def tree_sha(commit: Commit) -> str:
    """A stand-in: nobody reads trees from the simulated server."""
    return hashlib.sha1(f"tree of {commit.sha}".encode(), usedforsecurity=False).hexdigest()


def _number_of(text: str) -> int:
    return int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:8], 16)
