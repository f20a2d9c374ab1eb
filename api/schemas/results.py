"""Result documents, as documentation: arrays as the backends write them, or counts and plain numbers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from api.schemas.fields import Told

_METADATA = {"engine": "aer", "engine_version": "0.18.2", "method": "automatic", "seed": 7}
ARRAYS_EXAMPLE: dict[str, Any] = {
    "v": 1,
    "primitive": "sampler",
    "pubs": [
        {
            "registers": {
                "meas": {
                    "shape": [],
                    "shots": 4,
                    "bits": 2,
                    "array": {"dtype": "|u1", "shape": [4, 1], "base64": "AAMDAA=="},
                }
            },
            "metadata": {"shots": 4, "circuit_metadata": {}},
        }
    ],
    "metadata": _METADATA,
}
COUNTS_EXAMPLE: dict[str, Any] = {
    "v": 1,
    "primitive": "sampler",
    "pubs": [
        {
            "registers": {"meas": {"shape": [], "shots": 4, "bits": 2, "counts": {"00": 2, "11": 2}}},
            "metadata": {"shots": 4, "circuit_metadata": {}},
        }
    ],
    "metadata": _METADATA,
}
VALUES_EXAMPLE: dict[str, Any] = {
    "v": 1,
    "primitive": "estimator",
    "pubs": [{"evs": [0.0, 0.4794], "stds": [0.0, 0.0], "metadata": {"target_precision": 0.0, "circuit_metadata": {}}}],
    "metadata": _METADATA,
}


class Result(Told):
    """A result, PUB by PUB.

    With `format=arrays` a register is the bytes of a Qiskit BitArray, and expectation values are little-endian doubles.
    With `format=counts` a register has counts by bit string (leftmost: the highest bit), nested by the PUB's shape, and
    expectation values are plain numbers.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [ARRAYS_EXAMPLE, COUNTS_EXAMPLE, VALUES_EXAMPLE]})

    v: int
    primitive: Literal["sampler", "estimator"]
    pubs: list[dict[str, Any]]
    metadata: dict[str, Any]
