"""Devices by name: every file is read, says where its figures come from, and is refused where it does not."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from backends.devices.model import ASSUMED
from backends.devices.reading import (
    DEAD,
    FLEET,
    OWN,
    WrongDevice,
    device_of,
    fleet,
    model_of,
    models,
    read_own,
    snapshot_of,
    snapshots,
)


def table(name: str = "generic") -> dict[str, Any]:
    return tomllib.loads(files("backends").joinpath("targets", "devices", f"{name}.toml").read_text(encoding="utf-8"))


def test_the_fleet() -> None:
    assert models() == ("generic", "neutral-atom-like", "wukong-like", "zuchongzhi-2-like", "zuchongzhi-3-like")
    widths = {name: device_of(name).width for name in fleet()}  # type: ignore[union-attr]
    assert widths == {
        "generic": 20,
        "neutral-atom-like": 100,
        "wukong-like": 72,
        "zuchongzhi-2-like": 66,
        "zuchongzhi-3-like": 105,
        "nairobi-snapshot": 7,
        "guadalupe-snapshot": 16,
        "prague-snapshot": 33,
        "sherbrooke-snapshot": 127,
        "fez-snapshot": 156,
    }
    assert FLEET == ("nairobi", "guadalupe", "prague", "sherbrooke", "fez")


def test_further_snapshots_by_name() -> None:
    assert fleet(("torino",))[-1] == fleet(("torino-snapshot",))[-1] == "torino-snapshot"
    assert len(fleet(("all",))) == len(models()) + len(snapshots()) == 72
    with pytest.raises(WrongDevice, match="no snapshot 'kyoto'; there are aachen, algiers"):
        fleet(("kyoto",))
    assert device_of("kyoto-snapshot") is None
    assert device_of("no-such-device") is None


def test_every_snapshot_is_a_device_and_the_dead_ones_are_known() -> None:
    import json

    dead = set()
    for path in files("backends").joinpath("targets", "snapshots").iterdir():
        found = snapshot_of(json.loads(path.read_text(encoding="utf-8")))
        assert found.sources[0][1].startswith("IBM's calibration of 20")
        assert all(qubit.t2_ns <= 2 * qubit.t1_ns for qubit in found.qubits)
        if not found.edges and found.width > 1:
            dead.add(path.name.removesuffix(".json"))
    assert dead == DEAD == {"kyoto"}


def test_models_have_the_published_figures_and_say_what_is_assumed() -> None:
    published = {
        "zuchongzhi-3-like": (105, 182, "Phys. Rev. Lett. 134"),
        "zuchongzhi-2-like": (66, 110, "Phys. Rev. Lett. 127"),
        "wukong-like": (72, 126, "Origin Quantum"),
    }
    for name, (qubits, couplings, source) in published.items():
        found = device_of(name)
        assert found is not None
        assert found.width == qubits
        assert len({frozenset(edge) for edge in found.edges or ()}) == couplings
        assert source in dict(found.sources)["qubits"]
        assert dict(found.sources)["rep_delay_us"].startswith(ASSUMED)
        assert {"spread", "drift", "readout_ns"} <= {figure for figure, _ in found.assumptions}
    for name in models():
        found = device_of(name)
        assert found is not None
        assert {figure for figure, _ in found.sources} >= {"t1_us", "t2_us", "error_1q", "error_2q", "readout_error"}


def test_the_spread_leaves_the_mean_where_it_is_published() -> None:
    """105 log-normal draws: within five standard errors, and fixed by their seed."""
    found = device_of("zuchongzhi-3-like")
    assert found is not None
    mean_us = sum(qubit.t1_ns for qubit in found.qubits) / found.width / 1e3
    assert abs(mean_us - 72) < 5 * 72 * 0.25 / 105**0.5
    generic = device_of("generic")
    assert generic is not None
    assert {qubit.t1_ns for qubit in generic.qubits} == {100_000}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("t2_us"), "generic: no t2_us"),
        (lambda t: t["t1_us"].pop("assumed"), "t1_us needs either a source or a reason"),
        (lambda t: t["t1_us"].update(source="a paper"), "t1_us needs either a source or a reason"),
        (lambda t: t["couplings"].update(grid=[3, 5]), "a grid of 3 by 5 has 15 qubits, not 20"),
        (lambda t: t["couplings"].update(without=[[0, 7]]), r"no coupling \(0, 7\)"),
        (lambda t: t["couplings"].update(pairs=[[0, 20]]), r"\[0, 20\] is no coupling of two of 20 qubits"),
        (lambda t: t["couplings"].update(pairs=[[0, 1], [1, 0]]), "is listed twice"),
        (lambda t: t["t1_us"].update(value=[100] * 19), "t1_us has 19 values, 20 numbers are needed"),
        (lambda t: t["error_2q"].update(value=[0.1]), "error_2q has 1 values, 31 numbers are needed"),
        (lambda t: t["error_1q"].update(value="good"), "error_1q has no number"),
        (lambda t: t["t2_us"].update(value=300), r"t2_us is 300, at most twice t1_us \(200\)"),
    ],
)
def test_a_file_that_says_too_little_is_refused(change: Callable[[dict[str, Any]], object], words: str) -> None:
    wrong = table()
    change(wrong)
    with pytest.raises(WrongDevice, match=words):
        model_of(wrong)


def test_an_operator_describes_a_device_qubit_by_qubit() -> None:
    own = table() | {"name": "ring"}
    own["qubits"] = {"value": 3, "source": "our own"}
    own["couplings"] = {"pairs": [[0, 1], [1, 2], [2, 0]], "source": "our own"}
    own["t1_us"] = {"value": [50, 60, 70], "source": "measured"}
    own["readout_error"] = {"value": [0.01, 0.02, 0.03], "source": "measured"}
    own["error_2q"] = {"value": [0.01, 0.02, 0.03], "source": "measured"}
    device = model_of(own)
    assert [qubit.t1_ns for qubit in device.qubits] == [50_000, 60_000, 70_000]
    assert [qubit.reads_1_of_0 for qubit in device.qubits] == [0.01, 0.02, 0.03]
    assert [device.gate("cz", pair).error for pair in ((0, 1), (2, 1), (2, 0))] == [0.01, 0.02, 0.03]  # type: ignore[union-attr]
    assert dict(device.sources)["t1_us"] == "measured"


def written(folder: Path, name: str = "own-ring", **change: str) -> Path:
    """The generic device's file under a name of one's own."""
    text = files("backends").joinpath("targets", "devices", "generic.toml").read_text(encoding="utf-8")
    text = text.replace('name = "generic"', f'name = "{change.pop("inside", name)}"')
    for old, new in change.items():
        text = text.replace(old, new)
    (folder / f"{name}.toml").write_text(text)
    return folder


def test_a_folder_of_ones_own_devices_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (device,) = read_own(written(tmp_path))
    assert (device.name, device.width) == ("own-ring", 20)
    assert "own-ring" not in fleet()
    monkeypatch.setenv(OWN, str(tmp_path))
    assert models()[-1] == "own-ring"
    assert "own-ring" in fleet()
    found = device_of("own-ring")
    assert found is not None
    assert (found.name, found.gates) == (device.name, device.gates)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("mine", {"inside": "yours"}, "mine.toml must be called as the device in it"),
        ("Mine", {}, "in small letters, digits and hyphens"),
        ("generic", {}, "the name generic is taken"),
        ("auto", {}, "the name auto is taken"),
        ("fez-snapshot", {}, "the name fez-snapshot is taken"),
        ("mine", {"t2_us": "t3_us"}, "mine.toml: mine: no t2_us"),
        ("mine", {"[qubits]": "[qubits"}, "mine.toml: "),
    ],
)
def test_a_file_of_ones_own_that_is_wrong_is_named(
    tmp_path: Path, name: str, change: dict[str, str], words: str
) -> None:
    with pytest.raises(WrongDevice) as wrong:
        read_own(written(tmp_path, name, **change))
    assert words in str(wrong.value)


def test_no_folder_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(WrongDevice, match="is no folder"):
        read_own(tmp_path / "none")
