"""Backends, health and version: requests and answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.fields import Asked, Note, Told

BackendState = Literal["online", "draining", "offline"]

_BACKEND: dict[str, Any] = {
    "name": "aer",
    "title": "Aer, exact",
    "description": "Exact simulation with the method that Aer chooses.",
    "engine": "aer",
    "method": "automatic",
    "qubits_max": 30,
    "basis_gates": ["h", "cx", "rz"],
    "simulated": True,
    "state": "online",
    "state_reason": "",
    "queued": 0,
    "slots": 2,
    "rates": [
        {
            "id": "built-in/qpu_ms",
            "resource": "qpu_ms",
            "backend": "*",
            "hours": [0, 24],
            "quantum": 1,
            "unit_price": 500,
        }
    ],
    "asset": "CNY",
}


class BackendStateRequest(Asked):
    """What an operator decides about a backend; on a draining or offline one nothing new is placed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "draining", "reason": "calibration"}]})

    state: BackendState
    reason: Note = ""


class Backend(Told):
    """What runs circuits, its state, its queue and its prices in micro-units."""

    model_config = ConfigDict(json_schema_extra={"examples": [_BACKEND]})

    name: str
    title: str
    description: str
    qubits_max: int
    basis_gates: list[str]
    simulated: bool
    state: BackendState
    state_reason: str
    queued: int
    slots: int
    rates: list[dict[str, Any]]
    asset: str
    device: dict[str, Any] | None = Field(
        default=None, description="Of a simulated device: kind, live qubits, day of the figures, overheads, sources."
    )
    coupling_map: list[list[int]] | None = Field(default=None, description="Where two qubits meet; null: anywhere.")
    gates: list[dict[str, Any]] | None = Field(default=None, description="Error and duration of each gate in place.")
    qubits: list[dict[str, Any]] | None = Field(default=None, description="T1, T2 and readout of each qubit.")
    dt_ns: float | None = Field(default=None, description="The step of the device's clock.")


class BackendList(Told):
    """All backends."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"backends": [_BACKEND]}]})

    backends: list[Backend]


class Live(Told):
    """The process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"live": True}]})

    live: bool


class Ready(Told):
    """Whether jobs can be admitted, and which part is missing if not."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"ready": True, "parts": {"database": True, "writable": True, "inspector": True}}]
        }
    )

    ready: bool
    parts: dict[str, bool]


class Version(Told):
    """Versions of the service and of what runs the circuits, and the limits in force."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "service": "0.1.0",
                    "api": "v1",
                    "qiskit": "2.6.2",
                    "qiskit_aer": "0.18.2",
                    "settings": {"asset": "CNY", "body_bytes": 8_000_000, "batch_jobs": 1_000},
                }
            ]
        }
    )

    service: str
    api: str
    settings: dict[str, Any]
