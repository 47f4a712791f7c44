"""Records of agents' work that tools store in a repository: Entire's checkpoints, and Agent Trace files.

Entire stores prompts and transcripts next to its metadata.  They are never opened.
https://github.com/entireio/cli: docs/architecture/sessions-and-checkpoints.md, ref-checkpoint-backend.md
https://agent-trace.dev
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.batches import batched
from integrations.connectors.git.commands import lines, run
from integrations.connectors.git.repository import GitRepository

# One branch for all checkpoints, or one ref for each.
_CHECKPOINT_REFS = ("refs/heads/entire/checkpoints", "refs/remotes/*/entire/checkpoints/**", "refs/entire/checkpoints")
_OWN_REF = re.compile(r"refs/entire/checkpoints/[^/]+/(?P<id>[^/]+)$")
_CHECKPOINT = re.compile(r"^\s*Entire-Checkpoint:[ \t]*(?P<id>[0-9A-Za-z]{6,64})[ \t]*$", re.IGNORECASE | re.MULTILINE)
_TRACES = ".agent-trace"
_SESSION = re.compile(rb'/(?P<number>\d{1,2})/metadata\.json"')
MOST_SESSIONS = 100  # per checkpoint


def records_digest(git: GitRepository, tips: Iterable[str]) -> str:
    """A digest of all records below these branch tips; empty if there are none."""
    found = [f"{ref} {sha}" for ref, sha in _checkpoint_refs(git).items()] + _trace_trees(git, tips)
    return hashlib.sha256("\n".join(found).encode()).hexdigest() if found else ""


def checkpoints_of_commits(git: GitRepository, tips: Iterable[str]) -> Mapping[str, Sequence[Sequence[bytes]]]:
    """Commit → the checkpoints that its message names, each as its metadata: of the whole, then of each session."""
    refs = _checkpoint_refs(git)
    if not refs:
        return {}
    named = dict(_naming_commits(git, tips))
    documents = _metadata(git, refs, sorted({checkpoint for ids in named.values() for checkpoint in ids}))
    found = {
        sha: [documents[checkpoint] for checkpoint in ids if checkpoint in documents] for sha, ids in named.items()
    }
    return {sha: checkpoints for sha, checkpoints in found.items() if checkpoints}


def traces(git: GitRepository, tips: Iterable[str]) -> Iterator[bytes]:
    """The content of each Agent Trace file at these tips."""
    blobs: dict[str, None] = {}
    for tree in _trace_trees(git, tips):
        for entry in (
            run(git.git_dir, "ls-tree", "-r", "-z", "--end-of-options", tree)
            .decode("utf-8", "replace")
            .split("\0")[:-1]
        ):
            meta, _, name = entry.partition("\t")
            if name.endswith((".jsonl", ".json")):
                blobs[meta.split()[2]] = None
    for some in batched([(blob, blob) for blob in blobs], 20):
        yield from (content for _, content in git.contents(some))


def _checkpoint_refs(git: GitRepository) -> Mapping[str, str]:
    """Ref → tip."""
    refs = lines(git.git_dir, "for-each-ref", "--format=%(objectname) %(objecttype) %(refname)", *_CHECKPOINT_REFS)
    parts = (line.split(" ", 2) for line in refs)
    return {name: sha for sha, kind, name in parts if kind == "commit"}


def _trace_trees(git: GitRepository, tips: Iterable[str]) -> list[str]:
    """Object ids of the folders with traces at these tips."""
    given = "".join(f"{tip}:{_TRACES}\n" for tip in sorted(set(tips)))
    answers = lines(git.git_dir, "cat-file", "--batch-check", given=given.encode()) if given else []
    return sorted({answer.split(" ", 1)[0] for answer in answers if " tree " in answer})


def _naming_commits(git: GitRepository, tips: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    given = "".join(f"{tip}\n" for tip in sorted(set(tips))).encode()
    words = ("log", "--stdin", "-z", "-i", "--grep=^ *Entire-Checkpoint:", "--format=%H%n%B", "--no-show-signature")
    for message in run(git.git_dir, *words, given=given).decode("utf-8", "replace").split("\0"):
        sha, _, body = message.partition("\n")
        if ids := tuple(dict.fromkeys(match["id"] for match in _CHECKPOINT.finditer(body))):
            yield sha, ids


def _metadata(git: GitRepository, refs: Mapping[str, str], ids: Sequence[str]) -> Mapping[str, Sequence[bytes]]:
    """Checkpoint → its metadata, from the first ref that has it."""
    own = {match["id"].lower(): tip for ref, tip in refs.items() if (match := _OWN_REF.match(ref))}
    shared = [tip for ref, tip in sorted(refs.items()) if not _OWN_REF.match(ref)]
    found: dict[str, list[bytes]] = {}
    # Ids are stored in lower case; a message may write them otherwise.
    for tip, spelled in [(None, str.lower), *((tip, spelling) for tip in shared for spelling in (str, str.lower))]:
        places = {
            name: f"{own[name.lower()]}:" if tip is None else f"{tip}:{spelled(name)[:2]}/{spelled(name)[2:]}/"
            for name in ids
            if name not in found and (tip is not None or name.lower() in own)
        }
        for checkpoint, content in _contents(git, {name: f"{place}metadata.json" for name, place in places.items()}):
            found[checkpoint] = [content]
        # Numbers of sessions may have gaps, which the list of the whole knows; the list may lack sessions.
        listed = {
            name: {int(number) for number in _SESSION.findall(found[name][0])} for name in places.keys() & found.keys()
        }
        for number in range(MOST_SESSIONS):
            wanted = {
                name: f"{places[name]}{number}/metadata.json"
                for name, numbers in listed.items()
                if number in numbers or len(found[name]) == number + 1
            }
            for checkpoint, content in _contents(git, wanted):
                found[checkpoint].append(content)
    return found


def _contents(git: GitRepository, blobs: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    for some in batched(list(blobs.items()), 500):
        yield from git.contents(some)
