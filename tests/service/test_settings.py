"""Settings come from the environment, options go before them, and what cannot be meant is said in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.settings import Settings, WrongSetting, settings_from


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the developer's own shell."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"QUBATOR_{name.upper()}", raising=False)


def test_without_a_word_everything_lies_in_one_folder(tmp_path: Path) -> None:
    settings = settings_from({})
    assert settings.url == f"sqlite:///{tmp_path / 'qubator-data' / 'qubator.sqlite3'}"
    assert settings.blobs == tmp_path / "qubator-data" / "blobs"
    assert settings.spool == tmp_path / "qubator-data" / "spool"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.slots >= 1


def test_the_environment_and_options_that_go_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUBATOR_SLOTS", "3")
    monkeypatch.setenv("QUBATOR_PORT", "9000")
    monkeypatch.setenv("QUBATOR_URL", "http://of.the.client")
    monkeypatch.setenv("QUBATOR_TOKEN", "qb_of_the_client")
    settings = settings_from({"port": 9001, "slots": None, "data": Path("elsewhere")})
    assert (settings.slots, settings.port, settings.data) == (3, 9001, Path("elsewhere"))


def test_a_folder_of_devices_is_read_at_once(tmp_path: Path) -> None:
    assert settings_from({}).device_files is None
    assert settings_from({"device_files": tmp_path}).device_files == tmp_path.resolve()
    (tmp_path / "half.toml").write_text('name = "half"')
    with pytest.raises(WrongSetting, match=r"half\.toml: half: no qubits, couplings"):
        settings_from({"device_files": tmp_path})


def test_devices_are_named_and_known() -> None:
    assert settings_from({}).device_names == ()
    assert settings_from({"devices": "torino, brisbane"}).device_names == ("torino", "brisbane")
    with pytest.raises(WrongSetting, match=r"QUBATOR_DEVICES: .*no snapshot 'kyoto'; there are aachen"):
        settings_from({"devices": "torino,kyoto"})


def test_a_database_url_is_taken_as_it_is() -> None:
    assert settings_from({"database_url": "postgresql://x/y"}).url == "postgresql://x/y"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLOTS", "0"),
        ("SLOTS", "many"),
        ("PORT", "65536"),
        ("PIPELINE", "-1"),
        ("MEMORY_MIB", "255"),
        ("INSPECTOR_TIMEOUT_S", "0"),
        ("LOG_LEVEL", "loud"),
        ("QUEUED_MAX", "0"),
    ],
)
def test_what_cannot_be_meant_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"QUBATOR_{name}", value)
    with pytest.raises(WrongSetting, match=f"^QUBATOR_{name}: ") as found:
        settings_from({})
    assert "\n" not in str(found.value)


def test_several_wrong_settings_are_named_together() -> None:
    with pytest.raises(WrongSetting, match=r"QUBATOR_PORT: .*; QUBATOR_SLOTS: "):
        settings_from({"port": -1, "slots": 0})


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (None, "here"),
        ("postgresql://db.example:5432/x", "postgresql://db.example:5432/x"),
        ("postgresql://me@db.example/x", "postgresql://me@db.example/x"),
        ("postgresql://me:s3c:r@t@db.example/x", "postgresql://me:***@db.example/x"),
        ("postgresql://db.example/x?user=me&password=s3cret&a=1", "postgresql://db.example/x?user=me&password=***&a=1"),
    ],
)
def test_a_place_is_told_without_its_password(url: str | None, told: str) -> None:
    assert Settings(data=Path("here"), database_url=url).place == told
