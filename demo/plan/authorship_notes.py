"""git-ai notes as that tool writes them: which lines of a commit came from which session."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from demo.plan.agents import CLAUDE_CODE
from demo.plan.commits import DemoCommit
from demo.plan.repositories import git_address
from demo.plan.session import DemoSession
from demo.plan.work_tree import Written

NOTES_REF = "refs/notes/ai"
_TOOLS = {CLAUDE_CODE: "claude"}  # the others go by their slugs


def authorship_note(commit: DemoCommit, session: DemoSession, sha: str, written: Sequence[Written]) -> bytes:
    """The note of a commit that contains the session's lines, in standard 3.0.0."""
    session_id = session.session_id
    tool = _TOOLS.get(session.setting.agent, session.setting.agent)
    key = "s_" + hashlib.sha256(f"{tool}:{session_id}".encode()).hexdigest()[:14]
    trace = "t_" + hashlib.sha256(f"{sha}:{session_id}".encode()).hexdigest()[:14]
    attested = "".join(
        f"{file.path}\n  {key}::{trace} {file.first_line}-{file.first_line + file.agent_lines - 1}\n"
        for file in written
        if file.agent_lines
    )
    described = {
        "schema_version": "authorship/3.0.0",
        "git_ai_version": "1.4.5",
        "base_commit_sha": sha,
        "prompts": {},
        "sessions": {
            key: {
                "agent_id": {"tool": tool, "id": session_id, "model": session.setting.model},
                "human_author": f"{commit.person.full_name} <{git_address(commit.person)}>",
            }
        },
    }
    return f"{attested}---\n{json.dumps(described, indent=1)}".encode()
