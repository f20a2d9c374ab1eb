"""What a person sees of backends: the list, and a device with its figures, in 80 columns."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from backends.catalogue import described
from backends.devices.reading import fleet

LISTED = {"name": "aer", "state": "draining", "qubits_max": 30, "state_reason": "repair"}


def shown(script: Any, shell: Any, name: str) -> list[str]:
    record = {"name": name, "title": "T", "qubits_max": 9, "basis_gates": ["h", "cx"]}
    script.say(script.answer(200, {**record, **described(name, date(2026, 11, 20))}))
    code, out, _ = shell("backends", name)
    assert code == 0
    return str(out).splitlines()


def test_the_list(shell: Any, script: Any) -> None:
    script.say(script.answer(200, {"backends": [LISTED]}))
    assert shell("backends")[1].splitlines() == [
        "BACKEND  STATE     QUBITS  DESCRIPTION",
        "aer      draining      30  repair",
    ]
    assert script.lines() == ["GET /v1/backends"]


@pytest.mark.parametrize("name", fleet())
def test_a_device_fits_the_terminal(shell: Any, script: Any, name: str) -> None:
    assert max(map(len, shown(script, shell, name))) <= 80


def test_a_device_with_its_figures_and_where_they_are_from(shell: Any, script: Any) -> None:
    lines = shown(script, shell, "sherbrooke-snapshot")
    assert "qubits     9, 125 work" in lines
    assert "figures    of 2026-11-20, drifting around those of 2025-02-26" in lines
    assert "each shot  250 µs between shots, 1.401 µs to reset" in lines
    assert next(line for line in lines if line.startswith("ecr time")).split() == [
        "ecr", "time", "341.3", "ns", "533.3", "ns", "803.6", "ns",
    ]  # fmt: skip
    assert "Assumed, for nobody has published it:" in lines
    text = " ".join(" ".join(lines).split())
    assert "from IBM's calibration of 2025-02-26, as shipped with qiskit-ibm-runtime" in text
    wukong = " ".join(" ".join(shown(script, shell, "wukong-like")).split())
    assert "error_2q a user's blog: CNOT fidelity 97.8 %" in wukong
    assert "t1_us not reported; well above T2" in wukong


def test_an_engine_and_a_day(shell: Any, script: Any) -> None:
    assert shown(script, shell, "aer") == [
        "name    aer",
        "title   T",
        "state   online",
        "qubits  9",
        "gates   h, cx",
    ]
    script.say(script.answer(200, {"name": "generic", "qubits_max": 20}))
    assert shell("backends", "generic", "--calibration", "2026-11-20", "--json")[0] == 0
    assert script.lines()[-1] == "GET /v1/backends/generic?calibration=2026-11-20"
    assert shell("backends", "--calibration", "stated")[0] == 2


@pytest.mark.parametrize("name", fleet())
def test_the_days_before_by_their_medians(shell: Any, script: Any, name: str) -> None:
    days = [date(2026, 11, 20) - timedelta(days=back) for back in range(3)]
    for day in days:
        script.say(script.answer(200, {"name": name, **described(name, day)}))
    code, out, _ = shell("backends", name, "--history", "3")
    assert code == 0
    title, header, *rows = out.splitlines()
    assert (title[:7], header.split()[0]) == ("Medians", "DAY")
    assert [row.split()[0] for row in rows] == ["2026-11-20", "2026-11-19", "2026-11-18"]
    assert len({row.split()[1] for row in rows}) > 1, "they drift"
    assert max(map(len, out.splitlines())) <= 80
    asked = [line.removeprefix(f"GET /v1/backends/{name}") for line in script.lines()]
    assert asked == ["", "?calibration=2026-11-19", "?calibration=2026-11-18"]


def test_a_history_is_a_devices(shell: Any, script: Any) -> None:
    assert shell("backends", "--history", "3")[0] == 2
    assert shell("backends", "generic", "--history", "3", "--calibration", "stated")[0] == 2
    assert script.lines() == []
    script.say(script.answer(200, {"name": "aer", "qubits_max": 30}))
    code, _, err = shell("backends", "aer", "--history", "2")
    assert (code, "aer is no device" in err) == (2, True)
