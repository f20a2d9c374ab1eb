"""Only the QPY versions that are known to be safe are read; the others are told apart by their first bytes."""

from __future__ import annotations

import io

import pytest
from qiskit import qpy
from qiskit.circuit import QuantumCircuit
from qiskit.qpy import common

from backends.qpy_format import VERSION_MAX, VERSION_MIN, version_of
from backends.rejected import Rejected


def file_of(version: int) -> bytes:
    stream = io.BytesIO()
    qpy.dump(QuantumCircuit(1), stream, version=version)
    return stream.getvalue()


def test_all_versions_that_qiskit_writes_are_read() -> None:
    """If this fails after an upgrade of Qiskit, a version has come: read its format notes, then raise the number."""
    assert (common.QPY_COMPATIBILITY_VERSION, common.QPY_VERSION) == (VERSION_MIN, VERSION_MAX)
    assert [version_of(file_of(version)) for version in range(13, 19)] == list(range(13, 19))


@pytest.mark.parametrize("version", [0, 1, 9, 12])
def test_older_versions_name_both_numbers(version: int) -> None:
    content = file_of(13)
    with pytest.raises(Rejected) as caught:
        version_of(content[:6] + bytes([version]) + content[7:])
    assert caught.value.code == "payload_unsupported"
    assert caught.value.fields == {"version": version, "version_min": 13}


@pytest.mark.parametrize("version", [19, 255])
def test_newer_versions_name_both_numbers(version: int) -> None:
    content = file_of(18)
    with pytest.raises(Rejected) as caught:
        version_of(content[:6] + bytes([version]) + content[7:])
    assert caught.value.code == "payload_unsupported"
    assert caught.value.fields == {"version": version, "version_max": 18}
    assert "version=18" in caught.value.detail


@pytest.mark.parametrize("content", [b"", b"QISKIT", b"QISKIS" + file_of(18)[6:], b"PK\x03\x04" + bytes(40)])
def test_what_is_no_qpy(content: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        version_of(content)
    assert caught.value.code == "circuit_invalid"
