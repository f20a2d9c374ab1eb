"""Sampler PUBs on an engine: one final state and our own draws where the circuit allows it, else the engine's shots.

Drawing from a state here is four times as fast as letting the engine do it for small circuits, twenty times for many
shots; above `STATE_QUBITS` the second array costs more memory than it saves time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from qiskit_aer.aererror import AerError
from qiskit_aer.backends.aer_compiler import assemble_circuits, compile_circuit

from backends import engine, seeds
from backends.assembly import STATE_LABEL, Assembly, final_state, measurements
from backends.compiled import Compiled
from backends.engine import Method
from backends.estimate import STATE_QUBITS
from backends.parameters import Values
from backends.registers import Bits, pack_indices, pack_memory, sample
from backends.rejected import Rejected
from backends.work import SamplerPub

_STATES_BYTES = 2**26
_STATES_AT_ONCE = 64  # more of them leave the caches, and cost twice as much each
_WORDS_AT_ONCE = 2**20


def sample_pub(pub: SamplerPub, compiled: Compiled, method: Method, seed: int) -> dict[str, tuple[int, Bits]]:
    """All registers of one PUB: name -> (bits, array of shape (*shape, shots, bytes))."""
    sets = math.prod(pub.shape)
    values = pub.values.reshape(sets, pub.values.shape[-1])
    packed = {
        register.name: np.zeros((sets, pub.shots, register.bytes), dtype=np.uint8) for register in compiled.registers
    }
    if sets:
        made = compiled.assembly
        if made is None:
            _from_branches(compiled, values, pub.shots, seed, method, packed)
        elif made.terminal and (not made.lines or (method == "statevector" and len(made.lines) <= STATE_QUBITS)):
            _from_states(compiled, made, values, pub.shots, seed, packed)
        else:
            _from_engine(compiled, made, values, pub.shots, seed, method, packed)
    return {
        register.name: (len(register.slots), packed[register.name].reshape((*pub.shape, pub.shots, register.bytes)))
        for register in compiled.registers
    }


def states(compiled: Compiled, made: Assembly, values: Values) -> Iterator[NDArray[np.complex128]]:
    """The final state of every parameter set over the busy qubits; `values` has shape (sets, parameters)."""
    width = len(made.lines)
    assert made.binding is not None
    if not width:
        yield from (np.ones(1, dtype=np.complex128) for _ in values)
        return
    circuit = compiled.with_ending("state", lambda: made.engine_circuit(final_state(made)))
    if not made.binding.places:
        (result,) = engine.execute([circuit], "statevector", qubits=width, clbits=made.clbits)
        yield from (result["data"][STATE_LABEL] for _ in values)
        return
    batch = min(_STATES_AT_ONCE, max(1, _STATES_BYTES // (16 << width)))
    for start in range(0, len(values), batch):
        filled = made.binding.fill(values[start : start + batch])
        for result in engine.execute(
            [circuit], "statevector", qubits=width, clbits=made.clbits, parameterizations=[filled]
        ):
            yield result["data"][STATE_LABEL]


def _from_states(
    compiled: Compiled, made: Assembly, values: Values, shots: int, seed: int, packed: dict[str, Bits]
) -> None:
    rng = np.random.default_rng(seed)
    source = {slot: made.lines[qubit] for slot, qubit in made.outcome.items() if qubit in made.lines}
    for index, state in enumerate(states(compiled, made, values)):
        drawn = sample(state, shots, rng)
        for register in compiled.registers:
            packed[register.name][index] = pack_indices(register, drawn, source)


def _from_engine(
    compiled: Compiled,
    made: Assembly,
    values: Values,
    shots: int,
    seed: int,
    method: Method,
    packed: dict[str, Bits],
) -> None:
    """Let the engine measure, shot by shot where the circuit is random before its end."""
    assert made.binding is not None
    circuit = compiled.with_ending("shots", lambda: made.engine_circuit(measurements(made) if made.terminal else ()))
    batch = max(1, _WORDS_AT_ONCE // shots) if made.binding.places else 1
    for start in range(0, len(values), batch):
        filled = made.binding.fill(values[start : start + batch])
        results = engine.execute(
            [circuit],
            method,
            qubits=len(made.lines),
            clbits=made.clbits,
            shots=shots,
            seed=seeds.of_pub(seed, start),
            memory=True,
            parameterizations=[filled] if filled else (),
        )
        for offset, result in enumerate(results):
            _keep(compiled, result["data"].get("memory"), shots, made.clbits, packed, start + offset)


def _from_branches(
    compiled: Compiled, values: Values, shots: int, seed: int, method: Method, packed: dict[str, Bits]
) -> None:
    """Circuits with control flow: bound, compiled to jumps by the engine's own compiler, run shot by shot."""
    for index, numbers in enumerate(values):
        circuit = jumping(compiled.flat, numbers)
        (assembled,), _ = assemble_circuits([circuit])
        (result,) = engine.execute(
            [assembled],
            method,
            qubits=circuit.num_qubits,
            clbits=circuit.num_clbits,
            shots=shots,
            seed=seeds.of_pub(seed, index),
            memory=True,
        )
        clbits = compiled.flat.num_clbits
        _keep(compiled, result["data"].get("memory"), shots, clbits, packed, index)


def jumping(flat: QuantumCircuit, numbers: NDArray[np.float64]) -> QuantumCircuit:
    """A circuit with control flow, bound and rewritten with the engine's marks and jumps."""
    bound = flat.assign_parameters(numbers.tolist()) if len(numbers) else flat
    try:
        (circuit,) = compile_circuit([bound])
    except AerError as error:
        raise Rejected("payload_unsupported", f"the engine cannot run this control flow: {error}", {}) from error
    return circuit


def _keep(
    compiled: Compiled, memory: list[str] | None, shots: int, clbits: int, packed: dict[str, Bits], index: int
) -> None:
    """Write one parameter set's shots; without measured qubits the engine keeps none and all bits are 0."""
    if memory:
        assert len(memory) == shots
        for name, bits in pack_memory(compiled.registers, memory, clbits).items():
            packed[name][index] = bits
