"""The processes themselves: they come up, say what hinders them, and end cleanly when they are told to."""

from __future__ import annotations

import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from service.commands import run
from service.http import bind
from service.settings import Settings
from service.wiring import Roles, Service

QASM = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1]; h q[0]; measure q -> c;'
JOB: dict[str, Any] = {"primitive": "sampler", "pubs": [{"circuit": {"format": "openqasm2", "content": QASM}}]}


def as_operator(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)


def startup(operator: httpx.Client) -> httpx.Client:
    """A project with a grant, and the HTTP client of its admin."""

    def post(path: str, body: dict[str, Any]) -> Any:
        return operator.post(path, json=body).raise_for_status().json()

    project = post("/v1/projects", {"name": "acme"})
    funder = post("/v1/funders", {"name": "city"})
    money = {"micro": 10**9, "asset": "CNY"}
    programme = post("/v1/programmes", {"name": "vouchers", "funder_id": funder["id"], "budget": money})
    until_us = int((time.time() + 86_400) * 1e6)
    grant = {"project_id": project["id"], "programme_id": programme["id"], "amount": money, "valid_until_us": until_us}
    post("/v1/grants", grant)
    member = post(f"/v1/projects/{project['id']}/members", {"name": "Ann", "role": "admin"})
    asked = {"member_id": member["id"], "role": "admin", "label": "t"}
    token = post(f"/v1/projects/{project['id']}/tokens", asked)
    return as_operator(str(operator.base_url), token["secret"])


def test_up_on_a_free_port_runs_a_job_and_ends_cleanly(qubatord: Callable[..., Any], tmp_path: Path) -> None:
    up = qubatord("up", "--port", "0", "--token-file", "token")
    url = up.url
    assert (tmp_path / "qubator-data" / "qubator.sqlite3").is_file()
    token = tmp_path / "token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert "First operator token written to token\n" in up.lines
    secret = token.read_text().strip()
    ann = startup(as_operator(url, secret))
    job = ann.post("/v1/jobs", params={"wait": 30}, json=JOB).raise_for_status().json()
    assert job["state"] == "succeeded"
    children = up.children()
    assert len(children) >= 4, "two fork servers, a worker and an inspector"
    slow: list[httpx.Response] = []
    watch = threading.Thread(
        target=lambda: slow.append(ann.get(f"/v1/jobs/{job['id']}", params={"wait": 50, "version": 99}))
    )
    watch.start()
    up.signal(signal.SIGTERM)
    assert up.wait() == 0
    watch.join(10)
    assert slow == [] or slow[0].status_code in (200, 503), "a long poll does not hold the end up"
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    assert "Traceback" not in up.errors.read_text()
    again = qubatord("up", "--port", "0", "--token-file", "token")
    with as_operator(again.url, secret) as operator:
        assert operator.get(f"/v1/jobs/{job['id']}").json()["state"] == "succeeded"
    assert not any("token" in line for line in again.lines), "shown once"
    again.signal(signal.SIGINT)
    assert again.wait() == 0
    assert again.lines[-2:] == ["stopping\n", "stopped\n"]


def test_a_second_one_on_the_same_folder_and_one_on_a_taken_port(qubatord: Callable[..., Any], tmp_path: Path) -> None:
    first = qubatord("up", "--port", "0")
    url = first.url
    secret = next(line.strip() for line in first.lines if line.startswith("  qb_"))
    same_folder = qubatord("up", "--port", "0")
    assert same_folder.wait() == 1
    assert same_folder.errors.read_text() == "Error: another process runs jobs in qubator-data; stop it first\n"
    port = url.rsplit(":", 1)[1]
    taken = qubatord("up", "--data", "other", "--port", port)
    assert taken.wait() == 1
    assert taken.errors.read_text() == (
        f"Error: cannot listen on 127.0.0.1 port {port}: Address already in use; choose another with --port\n"
    )
    assert taken.lines == [], "no token is made for a service that never was"
    with as_operator(url, secret) as operator:
        assert operator.get("/v1/me").json()["role"] == "operator"
    other = qubatord("up", "--data", "other", "--port", "0")
    assert other.url
    assert any(line.startswith("  qb_") for line in other.lines)


def test_the_roles_apart_on_one_folder(qubatord: Callable[..., Any], tmp_path: Path) -> None:
    """API, dispatcher and worker as processes of their own; each may be ended by itself."""
    serve = qubatord("serve", "--port", "0")
    url = serve.url
    secret = next(line.strip() for line in serve.lines if line.startswith("  qb_"))
    dispatch, work = qubatord("dispatch", "--no-work"), qubatord("work")
    dispatch.until("running")
    work.until("running")
    ann = startup(as_operator(url, secret))
    job = ann.post("/v1/jobs", params={"wait": 30}, json=JOB).raise_for_status().json()
    assert job["state"] == "succeeded", job
    assert ann.get(f"/v1/jobs/{job['id']}/result", params={"format": "counts"}).status_code == 200
    for process in (work, dispatch, serve):
        children = process.children()
        process.signal(signal.SIGTERM)
        assert process.wait() == 0, process.errors.read_text()
        _, alive = psutil.wait_procs(children, timeout=5)
        assert alive == []
    assert not list((tmp_path / "qubator-data" / "spool").glob("*/*.result"))


def test_migrate_once_and_once_more(shell: Any) -> None:
    assert shell("migrate").stdout == "schema 0001 (was empty)\n"
    assert shell("migrate").stdout == "schema 0001 (unchanged)\n"
    assert shell("migrate", "--data", "deep/er").stdout == "schema 0001 (was empty)\n"


BROKEN: list[tuple[str, list[str], str]] = [
    ("a file in place of the folder", ["--data", "file"], "cannot open file: "),
    ("a folder below a file", ["--data", "file/below"], "cannot open file/below: "),
    ("no database", ["--data", "broken"], "cannot open broken: "),
    ("a folder in place of the database", ["--data", "folder"], "cannot open folder: "),
    ("another kind of database", ["--database-url", "mysql://x/y"], "cannot open mysql://x/y: a database URL starts"),
    ("nobody there", ["--database-url", "postgresql://127.0.0.1:1/x"], "cannot open postgresql://127.0.0.1:1/x: "),
    ("no URL at all", ["--database-url", "nonsense"], "cannot open nonsense: "),
    (
        "a password, which is no one's business",
        ["--database-url", "postgresql://me:s3cret@127.0.0.1:1/x"],
        "cannot open postgresql://me:***@127.0.0.1:1/x: ",
    ),
]


@pytest.mark.parametrize("command", ["migrate", "up", "serve", "work"])
@pytest.mark.parametrize(("arguments", "words"), [one[1:] for one in BROKEN], ids=[one[0] for one in BROKEN])
def test_a_store_that_cannot_be_opened_is_named(shell: Any, command: str, arguments: list[str], words: str) -> None:
    (shell.folder / "file").write_text("")
    (shell.folder / "broken").mkdir()
    (shell.folder / "broken" / "qubator.sqlite3").write_bytes(b"not a database" * 100)
    (shell.folder / "folder" / "qubator.sqlite3").mkdir(parents=True)
    result = shell(command, *arguments, code=1)
    assert result.stderr.startswith(f"Error: {words}")
    assert "Traceback" not in result.output
    assert "s3cret" not in result.output


def test_a_wrong_setting_is_named(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUBATOR_SLOTS", "many")
    assert shell("migrate", code=1).stderr.startswith("Error: QUBATOR_SLOTS: Input should be a valid integer")
    shell("up", "--port", "70000", code=2)


def test_a_token_file_that_cannot_be_written_does_not_cost_the_token(tmp_path: Path, capsys: Any) -> None:
    service = Service(Settings(data=tmp_path / "data"), Roles(serve=False, dispatch=False, work=False))
    run._first_token(service, tmp_path / "nowhere" / "token")
    told = capsys.readouterr()
    assert "cannot be written: No such file or directory" in told.err
    secret = told.out.splitlines()[1].strip()
    assert service.room.authenticate(secret).role == "operator"
    run._first_token(service, tmp_path / "token")
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "token").exists()
    service.stop()


def test_a_token_file_that_was_open_to_all_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("an old secret, which was longer than the new one")
    path.chmod(0o644)
    run._write_secret(path, "qb_new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("qb_new\n", 0o600)


def test_a_worker_process_that_stumbles_ends_with_an_error(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(self: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("dispatcher.agent.Agent.run", stumble)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(ZeroDivisionError):
            shell("work", code=1)
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])


def test_a_signal_ends_the_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    try:
        run._until_signalled()
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
        timer.join()
    assert "stop: Ctrl-C" in capsys.readouterr().out


def test_a_port_that_is_bound_is_not_given_away(tmp_path: Path) -> None:
    """Binding before anything is started is what makes the message about a taken port harmless."""
    with bind("127.0.0.1", 0) as listener, socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(listener.getsockname())
