"""Mutation tests: plants the faults of planted_faults.toml one by one, and runs the tests that cover each.

    .venv/bin/python scripts/plant_faults.py                      every fault in the committed tree
    .venv/bin/python scripts/plant_faults.py --only NAME NAME     some of them
    .venv/bin/python scripts/plant_faults.py --revision fc5764d   in the product and with the tests of that revision

Each fault is planted in a temporary worktree, never in the working tree.  It is caught if a test fails; import errors
and empty runs do not count.  Exits 1 if a fault is not caught.  HEADWAY_TEST_DATA applies as usual.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

PROJECT_DIR = Path(__file__).resolve().parent.parent
LIST = Path(__file__).with_name("planted_faults.toml")
TESTS = Path("tests")
PASSED, FAILED, NOTHING_RAN = 0, 1, 5  # pytest.ExitCode; with -x a file that cannot be imported is FAILED, too
FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) (tests/[^ :]+::\S+)", re.MULTILINE)  # without :: it was not even collected
SECONDS_TO_END = 60.0  # pytest stops its servers first
LAST_LINES = 15


class UnusableFaultError(Exception):
    """The fault cannot be planted or judged; the message says why."""


@dataclass(frozen=True)
class Fault:
    """One mistake: `old` becomes `new` in `file`; `tests` are paths or patterns, of files or folders."""

    name: str
    file: str
    old: str
    new: str
    breaks: str
    tests: Sequence[str]

    def plant(self, tree: Path) -> None:
        """Apply the fault in that tree.  Raises UnusableFaultError unless `old` occurs exactly once."""
        path = tree / self.file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if text.count(self.old) != 1:
            raise UnusableFaultError(f"its text stands {text.count(self.old)} times in {self.file}")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")

    def tests_in(self, tree: Path) -> list[Path]:
        """The fault's tests, relative to the tree; patterns without a match give none."""
        return sorted({path.relative_to(tree) for pattern in self.tests for path in tree.glob(pattern)})


@dataclass(frozen=True)
class Run:
    """The result of pytest; `failed` is the first failed test."""

    code: int
    failed: str
    output: str


@dataclass(frozen=True)
class Verdict:
    """`by` is the test that caught the fault, or why the run is inconclusive."""

    fault: Fault
    caught: bool
    by: str
    seconds: float


def read_faults() -> list[Fault]:
    entries: list[dict[str, Any]] = tomllib.loads(LIST.read_text(encoding="utf-8"))["fault"]
    return [Fault(**entry) for entry in entries]


@contextmanager
def scratch_worktree(revision: str) -> Iterator[Path]:
    """A temporary worktree of the revision."""
    with tempfile.TemporaryDirectory(prefix="headway-faults-") as folder:
        Path(folder).chmod(0o755)  # where root runs the tests, servers run under an account of their own
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(tree), revision)
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def judge(fault: Fault, revision: str, processes: int) -> Verdict:
    """Plant one fault and run its tests; if none fails, run their whole folders."""
    began = time.monotonic()

    def verdict(by: str, *, caught: bool = False) -> Verdict:
        return Verdict(fault, caught, by, time.monotonic() - began)

    with scratch_worktree(revision) as tree:
        try:
            fault.plant(tree)
        except UnusableFaultError as problem:
            return verdict(f"not planted: {problem}")
        paths = fault.tests_in(tree)
        for targets in (paths, folders_of(paths)):
            run = run_tests(tree, targets, processes)
            if run.code == FAILED and run.failed:
                return verdict(run.failed, caught=True)
            if run.code not in (PASSED, NOTHING_RAN):
                print("\n".join(run.output.splitlines()[-LAST_LINES:]), file=sys.stderr)
                return verdict("not judged: the tests could not be run; see above")
            if folders_of(targets) == targets:
                break
    return verdict("")


def folders_of(paths: Sequence[Path]) -> list[Path]:
    """The folders of these files; files directly in tests/ stay as they are, since that folder is the whole suite."""
    is_alone = {path for path in paths if path.suffix != ".py" or path.parent == TESTS}
    return sorted({path if path in is_alone else path.parent for path in paths})


def run_tests(tree: Path, paths: Sequence[Path], processes: int) -> Run:
    """Run these tests in that tree until the first failure."""
    if not paths:
        return Run(NOTHING_RAN, "", "")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--color=no", "-p", "no:cacheprovider"]
    command += ["-n", str(processes), *(["--dist", "loadfile"] if processes else []), *map(str, paths)]
    pytest = subprocess.Popen(command, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = pytest.communicate()
    except BaseException:  # Ctrl-C, or a signal: its database server must not stay behind
        pytest.send_signal(signal.SIGINT)
        try:
            pytest.communicate(timeout=SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            pytest.kill()
        raise
    match = FAILED_TEST.search(output)
    return Run(pytest.returncode, match[1] if match else "", output)


def pass_without_faults(faults: Sequence[Fault], revision: str, processes: int) -> bool:
    """Whether the tests of these faults pass in the unchanged tree."""
    with scratch_worktree(revision) as tree:
        paths = sorted({path for fault in faults for path in fault.tests_in(tree)})
        run = run_tests(tree, paths, processes)
    if run.code != PASSED:
        print("\n".join(run.output.splitlines()[-LAST_LINES:]), file=sys.stderr)
    return run.code == PASSED


def main() -> int:
    options = _options()
    faults = [fault for fault in read_faults() if not options.only or fault.name in options.only]
    if options.list:
        for fault in faults:
            print(f"{fault.name}  {fault.file}\n    {fault.breaks}")
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # under nohup
            signal.signal(number, _end)
    _git("worktree", "prune")
    revision = _git("rev-parse", "--verify", f"{options.revision}^{{commit}}").strip()
    if options.check_clean and not pass_without_faults(faults, revision, options.processes):
        print("The tests fail without any fault: nothing would follow from their failing with one.")
        return 1
    width = max(len(fault.name) for fault in faults)
    verdicts = []
    print(f"{'fault':{width}}  seconds  place: caught by", flush=True)
    for fault in faults:
        verdict = judge(fault, revision, options.processes)
        verdicts.append(verdict)
        by = verdict.by if verdict.caught else f"NOT CAUGHT {verdict.by}".strip()
        print(f"{fault.name:{width}}  {verdict.seconds:7.0f}  {fault.file}: {by}", flush=True)
    caught = sum(verdict.caught for verdict in verdicts)
    print(f"{caught} of {len(verdicts)} caught at {revision[:7]}.")
    return 0 if caught == len(verdicts) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--revision", default="HEAD", help="product and tests are those of it; default: HEAD")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[fault.name for fault in read_faults()])
    parser.add_argument("--processes", type=int, default=0, help="of pytest; default: its own alone")
    parser.add_argument("--check-clean", action="store_true", help="first run the tests without any fault")
    parser.add_argument("--list", action="store_true", help="say what each fault breaks, and run nothing")
    return parser.parse_args()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=PROJECT_DIR, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _end(number: int, _frame: object) -> NoReturn:
    sys.exit(f"Ended by {signal.Signals(number).name}.")


if __name__ == "__main__":
    sys.exit(main())
