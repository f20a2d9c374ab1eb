"""A desk to write work documents at, to run them and to read results; and the poison cupboard."""

from __future__ import annotations

import base64
import importlib.util
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from qiskit import qpy
from qiskit.circuit import QuantumCircuit
from qiskit.primitives import BitArray

from backends.findings import Findings
from backends.limits import Limits
from backends.measure import measure
from backends.port import Execution
from backends.rejected import Rejected
from backends.run import execute
from backends.work import Work, decode


class Desk:
    """Builds work documents and reads result documents; each PUB is a mapping, its circuit the first unless named."""

    limits = Limits()

    def source(self, *circuits: QuantumCircuit, version: int = 18) -> dict[str, str]:
        stream = io.BytesIO()
        qpy.dump(list(circuits), stream, version=version)
        return {"format": "qpy", "content": base64.b64encode(stream.getvalue()).decode()}

    def npy(self, array: np.ndarray) -> str:
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=False)
        return base64.b64encode(stream.getvalue()).decode()

    def text(self, form: str, content: str) -> dict[str, str]:
        return {"format": form, "content": content}

    def document(self, primitive: str, source: Any, pubs: tuple[Mapping[str, Any], ...], seed: int | None) -> bytes:
        sources = source if isinstance(source, list) else [source]
        circuits = [self.source(one) if isinstance(one, QuantumCircuit) else one for one in sources]
        entries = [{"circuit": 0, **pub} for pub in pubs]
        return orjson.dumps(
            {"v": 1, "primitive": primitive, "circuits": circuits, "pubs": entries, "seed": seed},
            option=orjson.OPT_SERIALIZE_NUMPY,
        )

    def sampler(self, source: Any, *pubs: Mapping[str, Any], seed: int | None = 1) -> bytes:
        return self.document("sampler", source, tuple({"shots": 64, **pub} for pub in pubs or ({},)), seed)

    def estimator(self, source: Any, *pubs: Mapping[str, Any], seed: int | None = 1) -> bytes:
        return self.document("estimator", source, tuple({"precision": 0.0, **pub} for pub in pubs), seed)

    def decode(self, work: bytes, **limits: float) -> Work:
        return decode(work, Limits.from_json(limits))

    def measure(self, work: bytes, **limits: float) -> Findings:
        return measure(self.decode(work, **limits), Limits.from_json(limits))

    def run(self, work: bytes, backend: str = "aer") -> Execution:
        return execute(work, backend, self.limits)

    def result(self, work: bytes, backend: str = "aer") -> dict[str, Any]:
        document: dict[str, Any] = orjson.loads(self.run(work, backend).result)
        return document

    def array(self, written: Mapping[str, Any]) -> np.ndarray:
        flat = np.frombuffer(base64.b64decode(written["base64"]), written["dtype"])
        return flat.reshape(written["shape"])

    def samples(self, work: bytes, backend: str = "aer") -> list[dict[str, BitArray]]:
        return [
            {name: BitArray(self.array(one["array"]), one["bits"]) for name, one in pub["registers"].items()}
            for pub in self.result(work, backend)["pubs"]
        ]

    def evs(self, work: bytes, backend: str = "aer") -> list[np.ndarray]:
        return [self.array(pub["evs"]) for pub in self.result(work, backend)["pubs"]]

    def refusal(self, call: Any, *arguments: Any, **options: Any) -> Rejected:
        """The refusal a call ends in; a refusal says what to do, in a sentence of some length."""
        with pytest.raises(Rejected) as caught:
            call(*arguments, **options)
        assert len(caught.value.detail) > 20
        return caught.value

    def bell(self) -> QuantumCircuit:
        circuit = QuantumCircuit(2)
        circuit.h(0)
        circuit.cx(0, 1)
        circuit.measure_all()
        return circuit


@pytest.fixture(scope="session")
def desk() -> Desk:
    return Desk()


def poison_module() -> Any:
    """tests/poison.py, which is no package member and so is loaded by its path."""
    spec = importlib.util.spec_from_file_location("poison", Path(__file__).resolve().parents[1] / "poison.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def poison() -> Any:
    return poison_module()


@pytest.fixture(scope="session")
def poison_inputs(poison: Any) -> Any:
    return poison.poison_inputs()
