"""An operator describes a device in a file; startups see it and run on it, in a process that reads the file itself."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from qiskit import QuantumCircuit

from backends.devices.reading import OWN


def test_a_job_on_a_device_of_the_operators_own(
    zone_with: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OWN, "")  # so that it is put back
    folder = tmp_path / "devices"
    folder.mkdir()
    text = files("backends").joinpath("targets", "devices", "generic.toml").read_text(encoding="utf-8")
    text = text.replace('name = "generic"', 'name = "campus-chip"').replace("grid = [4, 5]", "pairs = [[7, 8], [8, 9]]")
    (folder / "campus-chip.toml").write_text(text)
    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    bell.measure_all()
    with zone_with(device_files=folder) as zone:
        client = zone.startup().client
        assert client.backend_record("campus-chip")["device"]["couplings"] == 2
        job = client.submit(bell, backend="campus-chip", shots=200, seed=3).wait(timeout=60)
        assert job.state == "succeeded", job.problem
        assert set(job.document()["pubs"][0]["metadata"]["compiled"]["qubits"]) <= {7, 8, 9}
