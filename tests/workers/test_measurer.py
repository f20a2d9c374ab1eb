"""The child that measures: documents in a batch, answers one by one, limits for each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from backends.findings import Findings
from backends.limits import Limits
from workers import frames
from workers.child import ForkServer
from workers.frames import Frame


class Measurer:
    """A real child at the other end of a connection."""

    asks = "findings"

    def __init__(self, server: ForkServer, measure: str = "oddities:measure", timeout_s: float = 5.0) -> None:
        options = {"measure": measure, "limits": Limits().to_json(), "memory_mib": 256, "planned": (256, 60.0)}
        options |= {"timeout_s": timeout_s, "slow_s": 0.1}
        self.server = server
        self.child = server.spawn("workers.measurer:run", options, file_bytes_max=0, frame_bytes_max=8 << 20)
        self.child.met(self.listen()[0].header["pid"])

    def listen(self, last: str = "hello") -> list[Frame]:
        """Frames up to the last one of that kind, or up to the child's end."""
        arrived: list[Frame] = []
        deadline = time.monotonic() + 60
        while not arrived or arrived[-1].header["is"] != last:
            assert time.monotonic() < deadline, (arrived, self.child.error_tail)
            self.child.flush()
            more = self.child.receive()
            if more is None:
                break
            arrived += more
            time.sleep(0.0005)
        return arrived

    def batch(self, *works: bytes) -> list[Frame]:
        header = {"is": "batch", "lengths": [len(work) for work in works], "asks": [self.asks] * len(works)}
        self.child.post(frames.encode(header, b"".join(works)))
        begun, *answers = self.listen("end")
        assert begun.header == {"is": "begun"}
        return answers


@pytest.fixture
def server(oddities: None, leaves_nothing: None) -> Iterator[ForkServer]:
    server = ForkServer(("oddities", "workers.measurer"))
    yield server
    server.close()


@pytest.fixture
def measurer(server: ForkServer) -> Iterator[Measurer]:
    measurer = Measurer(server)
    yield measurer
    measurer.child.close()


def work(deed: str, **how: Any) -> bytes:
    return orjson.dumps({"do": deed, **how})


def kinds(answers: list[Frame]) -> list[str]:
    return [answer.header["is"] for answer in answers]


def test_every_document_of_a_batch_is_answered_in_order(measurer: Measurer) -> None:
    answers = measurer.batch(b"", work("reject"), b"")
    assert kinds(answers) == ["found", "rejected", "found", "end"]
    assert Findings.from_json(orjson.loads(answers[0].body)).primitive == "sampler"
    assert answers[1].header["code"] == "circuit_invalid"
    assert answers[1].header["detail"] == "no such gate: ?"
    assert answers[-1].header["rss"] > 1 << 20


def test_one_batch_follows_another(measurer: Measurer) -> None:
    assert [kinds(measurer.batch(b"", b"")) for _ in range(3)] == [["found", "found", "end"]] * 3


def test_memory_is_limited_document_by_document(measurer: Measurer) -> None:
    assert kinds(measurer.batch(work("allocate", mib=300), work("allocate", mib=200))) == ["memory", "found", "end"]


def test_a_panic_is_answered(measurer: Measurer) -> None:
    answers = measurer.batch(work("panic"), b"")
    assert kinds(answers) == ["broke", "found", "end"]
    assert answers[0].header["reason"] == "Panic: range end index out of range"


def test_after_a_slow_document_the_rest_is_left_to_others(measurer: Measurer) -> None:
    assert kinds(measurer.batch(b"", work("sleep", s=0.15), b"", b"")) == ["found", "found", "end"]


def test_what_was_answered_before_a_crash_has_arrived(measurer: Measurer) -> None:
    assert kinds(measurer.batch(b"", b"", work("segfault"), b"")) == ["found", "found"]


def test_a_decoder_cannot_write_files(measurer: Measurer, tmp_path: Path) -> None:
    target = tmp_path / "written"
    assert kinds(measurer.batch(work("write a file", path=str(target)))) == ["broke", "end"]
    assert target.stat().st_size == 0


def test_processor_time_runs_out_even_without_a_parent_that_watches(server: ForkServer) -> None:
    measurer = Measurer(server, timeout_s=0.1)
    assert kinds(measurer.batch(work("spin"))) == []
    assert measurer.child.pid is not None
    assert server.exit_code(measurer.child.pid, 2) == -24
    measurer.child.close()


def test_a_real_document_is_measured(leaves_nothing: None) -> None:
    server = ForkServer(("workers.measurer",))
    measurer = Measurer(server, "workers.measurer:measure_work")
    program = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q->c;'
    pub = {"circuit": 0, "parameter_values": None, "shots": 100}
    document = {"v": 1, "primitive": "sampler", "circuits": [{"format": "openqasm2", "content": program}]}
    [found, _] = measurer.batch(orjson.dumps({**document, "pubs": [pub], "seed": None}))
    findings = Findings.from_json(orjson.loads(found.body))
    assert (findings.qubits_max, findings.shots, findings.circuits[0].gates_2q) == (2, 100, 1)
    measurer.child.close()
    server.close()
