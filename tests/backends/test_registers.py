"""Outcomes become Qiskit's own bit arrays: byte order, several registers, bits nobody measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit
from qiskit.primitives import BitArray

from backends.registers import Register, pack_indices, pack_memory, registers_of, sample


def test_registers_in_order_with_loose_and_shared_bits() -> None:
    circuit = QuantumCircuit(1)
    circuit.add_register(ClassicalRegister(2, "first"))
    circuit.add_bits([Clbit()])
    circuit.add_register(ClassicalRegister(3, "second"))
    circuit.add_register(ClassicalRegister(bits=[circuit.clbits[5], circuit.clbits[0]], name="alias"))
    assert registers_of(circuit) == (
        Register("first", (0, 1)),
        Register("second", (3, 4, 5)),
        Register("alias", (5, 0)),
    )


@pytest.mark.parametrize(("bits", "size"), [(0, 0), (1, 1), (8, 1), (9, 2), (64, 8), (65, 9)])
def test_bytes_are_whole(bits: int, size: int) -> None:
    assert Register("r", tuple(range(bits))).bytes == size


@given(st.data())
def test_indices_pack_as_qiskit_reads_them(draw: st.DataObject) -> None:
    width = draw.draw(st.integers(1, 100))
    qubits = draw.draw(st.integers(1, 20))
    slots = draw.draw(st.permutations(range(width)))
    measured = draw.draw(st.dictionaries(st.integers(0, width - 1), st.integers(0, qubits - 1), max_size=20))
    indices = np.array(draw.draw(st.lists(st.integers(0, 2**qubits - 1), min_size=1, max_size=5)), dtype=np.int64)
    packed = pack_indices(Register("r", tuple(slots)), indices, measured)
    assert (packed.dtype, packed.shape) == (np.dtype(np.uint8), (len(indices), -(-width // 8)))
    expected = [
        "".join(str(index >> measured[slot] & 1) if slot in measured else "0" for slot in reversed(slots))
        for index in indices.tolist()
    ]
    assert BitArray(packed, width).get_bitstrings() == expected


@given(st.data())
def test_memory_packs_as_qiskit_reads_it(draw: st.DataObject) -> None:
    clbits = draw.draw(st.integers(1, 70))
    words = draw.draw(st.lists(st.integers(0, 2**clbits - 1), min_size=1, max_size=5))
    order = draw.draw(st.permutations(range(clbits)))
    cut = draw.draw(st.integers(0, clbits))
    registers = [Register("low", tuple(order[:cut])), Register("high", tuple(order[cut:]))]
    packed = pack_memory(registers, [hex(word) for word in words], clbits)
    for register in registers:
        if register.slots:
            expected = ["".join(str(word >> slot & 1) for slot in reversed(register.slots)) for word in words]
            assert BitArray(packed[register.name], len(register.slots)).get_bitstrings() == expected
        else:
            assert packed[register.name].shape == (len(words), 0)


def test_long_memories_are_packed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.registers._CHUNK_SHOTS", 3)
    packed = pack_memory([Register("r", (0, 1))], ["0x0", "0x1", "0x2", "0x3", "0x2", "0x1", "0x0"], 2)
    assert packed["r"].ravel().tolist() == [0, 1, 2, 3, 2, 1, 0]


def test_draws_follow_the_probabilities() -> None:
    state = np.array([0.6, 0, 0.8j, 0], dtype=complex)
    drawn = sample(state, 100_000, np.random.default_rng(5))
    counts = np.bincount(drawn, minlength=4)
    assert counts[1] == counts[3] == 0
    assert counts[0] / 100_000 == pytest.approx(0.36, abs=0.006)


def test_draws_never_leave_the_state_even_unnormalised() -> None:
    state = np.array([1e-200, 2.0, 0, 0], dtype=complex)
    assert set(sample(state, 1000, np.random.default_rng(1)).tolist()) == {1}
    one = np.ones(1, dtype=complex)
    assert set(sample(one, 10, np.random.default_rng(1)).tolist()) == {0}


def test_draws_repeat_with_their_seed() -> None:
    state = np.full(8, 8**-0.5, dtype=complex)
    first, second = (sample(state, 50, np.random.default_rng(3)).tolist() for _ in range(2))
    assert first == second
