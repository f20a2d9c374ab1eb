"""A scripted service: answers in order, and a record of what was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from qubator.client import Client
from qubator.connection import Connection
from qubator.profile import Settings
from qubator.retry import RetryPolicy

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def quoted(**change: Any) -> dict[str, Any]:
    """The service's answer to a question for the price."""
    quote = {"expected": {"micro": 5, "asset": "CNY"}, "ceiling": {"micro": 9, "asset": "CNY"}}
    payers = [
        {"payer": "grt_1", "asset": "shots", "amount": 40, "worth": 2, "rule": "pgm_1@1#1", "share_ppm": 300_000},
        {"payer": "wallet", "asset": "CNY", "amount": 7, "worth": 7, "rule": "", "share_ppm": 1_000_000},
    ]
    return {
        "quote_id": "qte_1", "expires_us": 1_700_000_900_000_000, "quote": quote, "payers": payers, "missing": 0,
        "backend": "aer", "wait_us": 7, "findings": {}, **change,
    }  # fmt: skip


def balance(*grants: dict[str, Any], **change: Any) -> dict[str, Any]:
    """The service's answer to a question for the quota."""
    return {
        "project_id": "prj_1", "asset": "CNY", "granted": 10_000_000, "settled": 1_500_000, "held": 500_000,
        "available": 8_000_000, "expired": 0, "in_flight": 400_000, "committed": 100_000,
        "wallet": {"available": 0, "held": 0}, "in_kind": {}, "runs_out_us": 1_700_000_000_000_000,
        "grants": list(grants), **change,
    }  # fmt: skip


def grant(**change: Any) -> dict[str, Any]:
    """One line of a quota."""
    return {
        "id": "grt_1", "asset": "CNY", "valid_until_us": 1_700_000_000_000_000, "granted": 10_000_000,
        "settled": 1_500_000, "held": 500_000, "available": 8_000_000, "expired": 0, "resources": [], "backends": [],
        "members": [], **change,
    }  # fmt: skip


@pytest.fixture
def told() -> Any:
    """Documents as the service writes them."""
    return SimpleNamespace(quoted=quoted, balance=balance, grant=grant)


@dataclass
class Script:
    """Answers in order; the clock only moves when the connection sleeps."""

    answers: list[Answer] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    slept_s: list[float] = field(default_factory=list)
    now_s: float = 0.0

    def say(self, *answers: Answer) -> Script:
        """Append answers."""
        self.answers += answers
        return self

    @staticmethod
    def answer(status: int, body: object = None, **headers: str) -> httpx.Response:
        """A JSON answer; header names are given with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.Response(status, content=b"" if body is None else json.dumps(body).encode(), headers=named)

    @staticmethod
    def table(text: str) -> httpx.Response:
        """An answer as CSV."""
        return httpx.Response(200, content=text.encode(), headers={"Content-Type": "text/csv; charset=utf-8"})

    @staticmethod
    def problem(status: int, code: str, **fields: object) -> httpx.Response:
        """A problem document."""
        retry = {"Retry_After": str(fields["retry_after_s"])} if "retry_after_s" in fields else {}
        document = {"type": f"/problems/{code}", "status": status, "detail": f"no: {code}", "code": code, **fields}
        return Script.answer(status, document, **retry)

    def serve(self, request: httpx.Request) -> httpx.Response:
        """The transport's side."""
        self.requests.append(request)
        assert self.answers, f"unexpected {request.method} {request.url}"
        made = self.answers.pop(0)
        if isinstance(made, Exception):
            raise made
        return made if isinstance(made, httpx.Response) else made(request)

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.slept_s.append(seconds)
        self.now_s += seconds

    def connection(self, *, total_s: float = 60.0, draw: float = 0.5) -> Connection:
        """A connection that talks to this script."""
        return Connection(
            Settings("http://service.example", "qb_secret"),
            policy=RetryPolicy(total_s=total_s),
            transport=httpx.MockTransport(self.serve),
            sleep=self.sleep,
            clock=lambda: self.now_s,
            draw=lambda: draw,
        )

    def client(self) -> Client:
        """A client that talks to this script."""
        return Client("http://service.example", "qb_secret", transport=httpx.MockTransport(self.serve))

    def bodies(self) -> list[Any]:
        """The JSON bodies of the requests made."""
        return [json.loads(request.content) if request.content else None for request in self.requests]

    def lines(self) -> list[str]:
        """The requests made, as "METHOD path?query"."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


@pytest.fixture
def script() -> Iterable[Script]:
    """A script; every answer in it has to be asked for."""
    made = Script()
    yield made
    assert not made.answers, f"never asked for: {made.answers}"


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads the profile or the environment of whoever runs it."""
    for word in ("QUBATOR_URL", "QUBATOR_TOKEN", "QUBATOR_PROFILE"):
        monkeypatch.delenv(word, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))


@pytest.fixture
def shell(script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs `qubator` against the script; gives the exit code, standard output and standard error."""
    from qubator import cli, cli_frame

    monkeypatch.setattr(cli_frame.Frame, "client", lambda *_, **__: script.client())
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run
