"""`manage.py up` from the operator's view."""

from __future__ import annotations

import http.client
import re
import select
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from config.data_folder import exposed_paths
from tests.first_start import FirstStart
from tests.launcher.installation import Installation, gone
from tests.launcher.test_private_data import readable, widen
from tests.patience import PATIENCE_SECONDS, wait_until

MORE_THAN_THREADS = 20  # of the web process, so that every one of them waits for a word


@pytest.fixture
def upgraded(roomy_tmp_path: Path, first_start: FirstStart) -> Iterator[Installation]:
    """A running installation that holds the demo, of a version that left open what it made."""
    installation = Installation(roomy_tmp_path / "upgraded")
    first_start.copy_to(installation.data_dir)
    (installation.data_dir / "demo").mkdir()
    assert len(widen(installation.data_dir)) > 20
    assert list(readable(installation.data_dir))
    try:
        installation.start()
        yield installation
    finally:
        installation.end_everything()
        shutil.rmtree(installation.data_dir)


def test_a_first_step_that_fails_is_named_and_the_database_stopped(stopped: Installation) -> None:
    variables = {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0", "HEADWAY_WAIT_SECONDS": "0"}
    assert (
        "The broker of CELERY_BROKER_URL cannot be used"
        in Installation(stopped.data_dir, variables=variables).refused()
    )
    assert stopped.postmaster() is None


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("HEADWAY_PORT", "eighty", "HEADWAY_PORT must be a number"),
        ("HEADWAY_HOST", "no such host.invalid", "HEADWAY_HOST"),
        ("HEADWAY_TIME_ZONE", "Mars/Olympus", "HEADWAY_TIME_ZONE must be a zone"),
        ("HEADWAY_LOG_FORMAT", "xml", "HEADWAY_LOG_FORMAT must be text or json"),
        ("HEADWAY_BASE_URL", "headway.example.com", "HEADWAY_BASE_URL must be an address"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/headway", "The database of DATABASE_URL cannot be used"),
        ("DATABASE_URL", "postgresql://127.0.0.1:port/headway", "DATABASE_URL"),
        ("DATABASE_URL", "mysql://root@127.0.0.1/headway", "DATABASE_URL must start with postgresql://"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_started(
    roomy_tmp_path: Path, variable: str, value: str, sentence: str
) -> None:
    installation = Installation(
        roomy_tmp_path / "wrong setting", variables={variable: value, "HEADWAY_WAIT_SECONDS": "0"}
    )
    assert sentence in installation.refused()
    assert not (installation.data_dir / "postgres").exists()


def test_a_taken_port_is_named_before_anything_is_started(roomy_tmp_path: Path) -> None:
    installation = Installation(roomy_tmp_path / "taken port")
    with socket.socket() as blocker:
        blocker.bind(("127.0.0.1", installation.port))
        blocker.listen()
        assert f"Port {installation.port} on 127.0.0.1 is taken" in installation.refused()
    assert not (installation.data_dir / "postgres").exists()


def test_an_upgraded_installation_closes_its_folders_and_a_stop_signal_ends_every_process(
    upgraded: Installation,
) -> None:
    """Two claims in one start, which takes seconds.  Every process writes in the folder by itself."""
    assert not list(readable(upgraded.data_dir))
    assert not list(exposed_paths(upgraded.data_dir))
    umasks = {process.pid: umask(process.pid) for process in upgraded.children()}
    assert set(umasks.values()) == {0o077}
    postmaster = upgraded.postmaster()
    assert postmaster is not None
    processes = [*upgraded.children(), postmaster]
    assert len(processes) == 5  # web, worker, beat, the simulated tools, database
    assert upgraded.child("tools") in processes

    upgraded.stop(signal.SIGTERM)

    assert gone(processes)
    assert "Traceback" not in upgraded.output
    assert not (upgraded.data_dir / "postgres" / "postmaster.pid").exists()


def test_it_says_when_it_is_ready(running: Installation) -> None:
    assert running.get("/readyz").json() == {
        "ready": True,
        "database": "ok",
        "migrations": "ok",
        "broker": "ok",
    }
    assert len(running.children()) == 3  # web, worker, beat


def test_a_second_up_on_the_same_data_is_refused(running: Installation) -> None:
    second = Installation(running.data_dir)
    message = second.refused()
    assert running.up is not None
    assert f"already runs on {running.data_dir} (process {running.up.pid})" in message
    assert running.is_ready()


def test_sign_in_and_token_are_made_once_and_shown_at_every_start(
    running: Installation, first_start: FirstStart
) -> None:
    shown = re.search(r"Sign in as +(\S+) +password +(\S+)", running.output)
    token = re.search(r"Ingest token +(\S+)", running.output)
    assert shown is not None
    assert token is not None
    assert shown[0] in first_start.output
    assert token[0] in first_start.output
    assert sign_in(running, *shown.groups()).status_code == httpx.codes.FOUND
    assert running.url in running.output
    for secret in (running.data_dir / "secrets").iterdir():
        assert secret.stat().st_mode & 0o077 == 0, secret
    logs = "".join(log.read_text() for log in (running.data_dir / "logs").glob("*.log"))
    assert shown[2] not in logs
    assert token[1] not in logs


def test_a_chunked_body_reaches_the_application_and_the_connection_stays_open(running: Installation) -> None:
    """The JavaScript exporters send no Content-Length; Django alone would read an empty body."""
    token = re.search(r"Ingest token +(\S+)", running.output)
    assert token is not None
    headers = {
        "Authorization": f"Bearer {token[1]}",
        "Content-Type": "application/json",
        "Transfer-Encoding": "chunked",
    }
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE_SECONDS)
    connection.connect()
    held_socket = connection.sock
    for _ in range(2):
        chunks = iter([b'{"resource', b'Logs": ', b"[}"])  # broken, so that the answer shows that it was read
        connection.request("POST", "/v1/logs", body=chunks, headers=headers, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, b"JSON" in answer.read()) == (httpx.codes.BAD_REQUEST, True)
        assert connection.sock is held_socket
    connection.close()


def test_headers_beyond_reason_are_refused(running: Installation) -> None:
    answer = httpx.get(f"{running.url}/healthz", headers={"X-Long": "x" * 20_000}, trust_env=False)
    assert answer.status_code in (httpx.codes.REQUEST_HEADER_FIELDS_TOO_LARGE, httpx.codes.BAD_REQUEST)


def test_a_request_is_answered_while_another_connection_says_nothing(running: Installation) -> None:
    silent = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(MORE_THAN_THREADS)]
    try:
        wait_until(running.is_ready, what="the server answers beside silent connections")
        ended, _, _ = select.select(silent, [], [], 0)
        assert len(ended) < len(silent), "it answered only once it had ended these"
    finally:
        for connection in silent:
            connection.close()


def test_a_second_ctrl_c_hurries(running: Installation) -> None:
    worker = running.child("worker")
    assert worker is not None
    worker.suspend()  # it cannot end by itself
    assert running.up is not None
    running.up.send_signal(signal.SIGINT)
    wait_until(lambda: "Stopping." in running.heard, what="it is stopping")
    running.up.send_signal(signal.SIGINT)
    wait_until(lambda: "Asked again" in running.heard, what="it hurries")
    assert running.up.wait(PATIENCE_SECONDS) == 0
    assert gone([worker])
    assert running.postmaster() is None


def sign_in(installation: Installation, name: str, password: str) -> httpx.Response:
    with httpx.Client(base_url=installation.url, trust_env=False) as client:
        page = client.get("/accounts/login/").raise_for_status()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token is not None
        form = {"login": name, "password": password, "csrfmiddlewaretoken": token[1]}
        return client.post("/accounts/login/", data=form, headers={"Referer": f"{installation.url}/accounts/login/"})


def umask(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("Umask:")[2].split()[0], 8)
