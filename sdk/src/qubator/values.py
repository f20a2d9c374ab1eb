"""Parameter values and observables on the wire."""

from __future__ import annotations

import base64
import io
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN_NUMBERS = 256
_REMEMBERED_TERMS = 64


def encode_array(values: Any) -> Any:
    """Parameter values of shape (…, n): nested lists while short, else {"npy": base64} (exact, four times shorter).

    Numbers JSON cannot carry (NaN, infinity) go as npy too; it is the service that refuses them, with the reason.
    """
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    if array.size <= _PLAIN_NUMBERS and array.size and bool(np.isfinite(array).all()):
        return array.tolist()
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return {"npy": base64.b64encode(out.getvalue()).decode("ascii")}


def encode_bindings(values: object) -> Any:
    """Values for a circuit the service decodes: nested lists in parameter order, or a mapping from parameter name."""
    if values is None:
        return None
    if isinstance(values, Mapping):
        return {_name(key): _nested(value) for key, value in values.items()}
    return encode_array(values)


def _name(key: object) -> str:
    if isinstance(key, str):
        return key
    name = getattr(key, "name", None)
    if not isinstance(name, str):
        raise TypeError(f"a parameter is named by a string or a Parameter, not by {type(key).__name__}")
    return name


def _nested(value: Any) -> Any:
    import numpy as np

    array = np.asarray(value, dtype=np.float64)
    if not bool(np.isfinite(array).all()):
        raise ValueError("parameter values have to be finite")
    return array.tolist()


class _Terms(threading.local):
    def __init__(self) -> None:
        self.known: OrderedDict[tuple[bytes, ...], dict[str, float]] = OrderedDict()


_terms = _Terms()


def encode_observables(observables: Any) -> Any:
    """An ObservablesArray as nested lists of {"ZZ": coefficient}; the spelling of an observable that comes again is
    remembered by its content (spelling 600 terms takes longer than a local round trip)."""
    array = observables.sparse_observables_array()
    if array.ndim == 0:
        return _spelled(observables, array[()], ())
    flat = [_spelled(observables, array[place], place) for place in _places(array.shape)]
    return _folded(flat, array.shape)


def encode_plain_observables(observables: object) -> Any:
    """Observables for a circuit the service decodes. Text, mappings from text and nested lists of them go as they
    are; Qiskit's own kinds are spelled out."""
    if _is_plain(observables):
        return observables
    from qiskit.primitives.containers.observables_array import ObservablesArray

    return encode_observables(ObservablesArray.coerce(observables))


def looks_like_observables(value: object) -> bool:
    """Whether the second place of a PUB holds observables rather than parameter values."""
    match value:
        case str():
            return True
        case Mapping():
            return bool(value) and all(isinstance(key, str) and key and not key.strip("IXYZ01+-rl") for key in value)
        case list() | tuple():
            return bool(value) and looks_like_observables(value[0])
        case _:
            return type(value).__name__ in {
                "Pauli", "PauliList", "SparsePauliOp", "SparseObservable", "ObservablesArray",
            }  # fmt: skip


def _is_plain(value: object) -> bool:
    match value:
        case str():
            return True
        case Mapping():
            return all(isinstance(key, str) for key in value)
        case list() | tuple():
            return all(_is_plain(each) for each in value)
        case _:
            return False


def _places(shape: Sequence[int]) -> Any:
    import numpy as np

    return np.ndindex(*shape)


def _folded(flat: list[Any], shape: Sequence[int]) -> Any:
    for length in reversed(shape[1:]):
        if length == 0:
            return [[] for _ in range(shape[0])]
        flat = [flat[start : start + length] for start in range(0, len(flat), length)]
    return flat


def _spelled(observables: Any, term: Any, place: tuple[int, ...]) -> dict[str, float]:
    import numpy as np

    known = _terms.known
    parts = (term.coeffs, term.bit_terms, term.indices, term.boundaries)
    key = (term.num_qubits.to_bytes(8, "big"), *(np.asarray(part).tobytes() for part in parts))
    spelled = known.get(key)
    if spelled is None:
        spelled = {label: float(weight) for label, weight in observables[place].items()}
        known[key] = spelled
        if len(known) > _REMEMBERED_TERMS:
            known.popitem(last=False)
    return spelled
