"""The compiled circuits of a result as OpenQASM 3 over the device's own qubits: to be read, and sent again `as-is`."""

from __future__ import annotations

from qiskit import qasm3
from qiskit.exceptions import QiskitError

from backends.devices.compiling import Compiled

CHARACTERS_MOST = 200_000
"""Of all circuits of a result; what exceeds it is left out, and the result says so."""


class Kept:
    """The texts so far; equal circuits of several PUBs are kept once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._places: dict[int, int | str] = {}
        self._characters = 0

    def place(self, made: Compiled) -> dict[str, int | str]:
        """For the metadata of a PUB: which of the texts is its circuit, or why none is."""
        found = self._places.get(id(made))
        if found is None:
            found = self._places[id(made)] = self._keep(made)
        return {"circuit": found} if isinstance(found, int) else {"circuit_left_out": found}

    def _keep(self, made: Compiled) -> int | str:
        try:
            text = text_of(made)
        except QiskitError as error:
            return f"OpenQASM 3 cannot say it: {' '.join(str(error).split())[:200]}"
        if self._characters + len(text) > CHARACTERS_MOST:
            return f"its {len(text)} characters are too many beside {self._characters}, {CHARACTERS_MOST} are kept"
        self._characters += len(text)
        self.texts.append(text)
        return len(self.texts) - 1


def text_of(made: Compiled) -> str:
    """The circuit's text, remembered with it. Raises QiskitError for what the language has no words for."""
    known = made.__dict__.get("text")
    if not isinstance(known, str):
        known = made.__dict__["text"] = qasm3.dumps(made.circuit)
    return known
