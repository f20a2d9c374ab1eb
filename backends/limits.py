"""How large a piece of work may be. Every number is the operator's to set; the defaults suit one shared machine.

Import-light: the service process hands these numbers to its children.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds, all inclusive; `precision_min` alone is a lower bound.

    Counts are over the whole piece of work where they say so, else over one circuit. `operations` counts by
    multiplicity: a gate definition used a thousand times counts a thousand times its body.
    """

    body_bytes: int = 8_000_000
    """The HTTP body; the work document made of it may be twice as long."""
    inflated_bytes: int = 32_000_000
    """One circuit after inflating, and all circuits of one work document together."""
    qasm2_bytes: int = 1_000_000
    qasm3_bytes: int = 65_536
    qasm3_copies: int = 20_000
    """Operations of gate definitions that the OpenQASM 3 importer copies, about 0.1 ms each."""
    qubits: int = 200
    clbits: int = 4_096
    operations: int = 200_000
    operations_total: int = 5_000_000
    """Over all circuits of the work; parameter sets do not enter."""
    expression_depth: int = 128
    """Parentheses, brackets and braces inside each other in program text."""
    control_flow_depth: int = 16
    loop_product: int = 100_000
    definition_depth: int = 32
    evolution_reps: int = 10_000
    unitary_qubits: int = 7
    state_qubits: int = 14
    """Amplitudes given one by one (state preparation, diagonal, uniformly controlled gates)."""
    circuits: int = 1_000
    pubs: int = 1_000
    parameter_numbers: int = 1_000_000
    """Over the whole work."""
    executions: int = 100_000
    """Parameter sets over the whole work."""
    observable_terms: int = 200_000
    """Pauli terms over the whole work, before broadcasting."""
    shots: int = 1_000_000
    """Of one PUB."""
    precision_min: float = 1e-3
    """Where expectation values are sampled; 0 asks for the exact value."""
    result_bytes: int = 256_000_000

    @property
    def work_bytes(self) -> int:
        """The longest work document that is read at all."""
        return 2 * self.body_bytes

    def to_json(self) -> dict[str, int | float]:
        """All numbers by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, numbers: Mapping[str, int | float]) -> Limits:
        """The inverse of `to_json`; a name that is missing keeps its default, an unknown one raises ValueError."""
        unknown = sorted(set(numbers) - {one.name for one in fields(cls)})
        if unknown:
            raise ValueError(f"unknown limits: {', '.join(unknown)}")
        given = dict(numbers)
        precision_min = float(given.pop("precision_min", cls().precision_min))
        return cls(precision_min=precision_min, **{name: int(number) for name, number in given.items()})
