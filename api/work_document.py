"""Makes the work document out of a job request: one canonical spelling, so that equal work has an equal hash.

Circuits given inside PUBs move to the list of circuits, each once; every PUB gets its shots or precision; nothing is
decoded here. Only the head of a QPY file is looked at, to know how many circuits it carries: PUBs refer to circuits by
their number in the list of all.
"""

from __future__ import annotations

import binascii
import zlib
from typing import Any

from api.documents import canonical, invalid
from api.schemas.jobs import Circuit, JobRequest, Options, Pub
from dispatcher.model import Refusal

SHOTS = 1024
PRECISION = 0.0
_MAGIC = b"QISKIT"
_COUNT_AT = slice(10, 18)  # after magic, QPY version and three numbers of the Qiskit version; big-endian
_PLAIN_HEAD_CHARACTERS = 24
_HEAD_CHARACTERS = 4_096
"""How much of a compressed file is looked at: a gzip header may hold a file name before the content begins."""
_CIRCUITS_MAX = 100_000


def work_document(request: JobRequest, at: str = "") -> bytes | Refusal:
    """The work document of a request. `at` is the request's pointer within the body.

    Refusals: invalid_request (a PUB with a field of the other primitive, without observables, or with an index that
    no circuit has), circuit_invalid (QPY without a QPY head).
    """
    circuits = _Circuits(at)
    for index, circuit in enumerate(request.circuits):
        if (refusal := circuits.list(circuit, index)) is not None:
            return refusal
    listed = circuits.count
    pubs: list[dict[str, Any]] = []
    for index, pub in enumerate(request.pubs):
        where = f"{at}/pubs/{index}"
        number = _listed(pub.circuit, listed, where) if isinstance(pub.circuit, int) else circuits.place(pub, where)
        if isinstance(number, Refusal):
            return number
        told = (
            _sampler_pub(pub, request.options, where)
            if request.primitive == "sampler"
            else _estimator_pub(pub, request.options, where)
        )
        if isinstance(told, Refusal):
            return told
        pubs.append({"circuit": number, "parameter_values": pub.parameter_values, **told})
    document = {
        "v": 1,
        "primitive": request.primitive,
        "circuits": circuits.documents,
        "pubs": pubs,
        "seed": request.options.seed,
        **_of_devices(request.options),
    }
    return canonical(document, at)


def _of_devices(options: Options) -> dict[str, Any]:
    """What only devices read; left out where it is the default, so that documents stay as they were."""
    told: dict[str, Any] = {} if options.noise else {"noise": False}
    if options.calibration is not None:
        told["calibration"] = options.calibration
    for name in ("compilation", "dynamical_decoupling", "twirling", "resilience"):
        group = getattr(options, name)
        if group is not None:
            told[name] = group.model_dump(exclude_none=True)
    return told


def qpy_count(content: str) -> int | None:
    """How many circuits a QPY file (base64, compressed by zlib or gzip or not) says it carries; None if it is none."""
    try:
        raw = _head(content, _PLAIN_HEAD_CHARACTERS)
        if raw[:2] == b"\x1f\x8b" or raw[:1] == b"\x78":
            raw = zlib.decompressobj(wbits=47).decompress(_head(content, _HEAD_CHARACTERS), 64)
    except (binascii.Error, ValueError, zlib.error):
        return None
    if not raw.startswith(_MAGIC) or len(raw) < _COUNT_AT.stop:
        return None
    return int.from_bytes(raw[_COUNT_AT], "big")


def _head(content: str, characters: int) -> bytes:
    return binascii.a2b_base64(content[: min(characters, len(content) // 4 * 4)], strict_mode=True)


class _Circuits:
    """The list of circuits under way, and the number at which each file's circuits begin."""

    def __init__(self, at: str) -> None:
        self.documents: list[dict[str, str]] = []
        self.count = 0
        self._at = at
        self._numbers: dict[tuple[str, str], int] = {}

    def list(self, circuit: Circuit, index: int) -> Refusal | None:
        """Take a circuit of the request's own list, which keeps its order and its duplicates."""
        where = f"{self._at}/circuits/{index}"
        carried = _carried(circuit, where)
        if isinstance(carried, Refusal):
            return carried
        self._add(circuit, carried)
        return None

    def place(self, pub: Pub, where: str) -> int | Refusal:
        """The number of a circuit given inside a PUB; one that is there already is not listed again."""
        circuit = pub.circuit
        assert isinstance(circuit, Circuit)
        number = self._numbers.get((circuit.format, circuit.content))
        if number is not None:
            return number
        carried = _carried(circuit, f"{where}/circuit")
        if isinstance(carried, Refusal):
            return carried
        if carried != 1:
            detail = f"carries {carried} circuits; list the file under circuits and give the index of one"
            return invalid(detail, f"{where}/circuit/content")
        return self._add(circuit, carried)

    def _add(self, circuit: Circuit, carried: int) -> int:
        number = self.count
        if carried == 1:
            self._numbers.setdefault((circuit.format, circuit.content), number)
        self.documents.append({"format": circuit.format, "content": circuit.content})
        self.count += carried
        return number


def _carried(circuit: Circuit, where: str) -> int | Refusal:
    if circuit.format != "qpy":
        return 1
    carried = qpy_count(circuit.content)
    if carried is None:
        detail = f"{where}/content is no QPY file in base64: it does not begin with the letters QISKIT."
        return Refusal("circuit_invalid", detail, {"pointer": f"{where}/content"})
    if carried > _CIRCUITS_MAX:
        detail = f"{where}/content says it carries {carried} circuits; at most {_CIRCUITS_MAX} can be counted."
        return Refusal("circuit_too_large", detail, {"pointer": f"{where}/content", "limit": _CIRCUITS_MAX})
    return carried


def _listed(index: int, listed: int, where: str) -> int | Refusal:
    if 0 <= index < listed:
        return index
    there = f"there are {listed}, counted from 0" if listed else "the request lists none"
    return invalid(f"is {index}, which is the index of no circuit under circuits: {there}", f"{where}/circuit")


def _sampler_pub(pub: Pub, options: Options, where: str) -> dict[str, Any] | Refusal:
    for name in ("observables", "precision"):
        if getattr(pub, name) is not None:
            return invalid("belongs to the estimator; a sampler PUB has shots", f"{where}/{name}")
    return {"shots": _first(pub.shots, options.shots, SHOTS)}


def _estimator_pub(pub: Pub, options: Options, where: str) -> dict[str, Any] | Refusal:
    if pub.shots is not None:
        return invalid("belongs to the sampler; an estimator PUB has a precision", f"{where}/shots")
    if pub.observables is None:
        return invalid("is required for the estimator", f"{where}/observables")
    return {"observables": pub.observables, "precision": _first(pub.precision, options.precision, PRECISION)}


def _first(*given: float | None) -> float | None:
    return next((value for value in given if value is not None), None)
