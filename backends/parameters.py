"""Parameter values as Qiskit's primitives take them: one array for all parameters, or arrays by name, or an npy file.

The rules are those of a PUB's bindings: the last axis counts parameters, the axes before it are the PUB's shape; where
one parameter stands alone its axis may be left off.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from qiskit.circuit import Parameter

from backends.limits import Limits
from backends.rejected import Rejected

Values = NDArray[np.float64]


def bind(given: Any, parameters: Sequence[Parameter], limits: Limits, where: str) -> Values:
    """The values as one finite float array of shape (*pub_shape, len(parameters)), in the order of `parameters`.

    `given` is what the work document carries: None, a nested list, {"npy": base64} or a mapping from parameter or
    vector names to nested lists. Refuses with parameters_unbound, parameters_shape, parameters_not_finite or
    circuit_too_large; `where` names the PUB in the sentence.
    """
    count = len(parameters)
    if given is None:
        if count:
            _unbound(where, [parameter.name for parameter in parameters], count)
        return np.empty((0,))
    if isinstance(given, Mapping):
        if set(given) == {"npy"} and isinstance(given["npy"], str):
            values = _one_array(_from_npy(given["npy"], limits, where), count, where)
        else:
            values = _by_name(given, parameters, where)
    else:
        values = _one_array(_array(given, where), count, where)
    if values.size > limits.parameter_numbers:
        detail = f"{where} has {values.size} parameter numbers, at most {limits.parameter_numbers} are taken; split it"
        numbers = {"parameter_numbers": values.size, "parameter_numbers_max": limits.parameter_numbers}
        raise Rejected("circuit_too_large", detail, numbers)
    if not np.isfinite(values).all():
        place = [int(index) for index in np.argwhere(~np.isfinite(values))[0]]
        detail = f"{where} has a parameter value that is no finite number, at index {place}; replace it"
        raise Rejected("parameters_not_finite", detail, {"index": place})
    return values


def _array(given: Any, where: str) -> Values:
    """A nested list of numbers as an array; ragged lists, text and booleans are refused."""
    try:
        array = np.asarray(given)
        if array.dtype.kind in "iuf" or array.size == 0:
            return array.astype(np.float64)
    except (ValueError, TypeError, OverflowError):
        pass
    detail = f"{where} has parameter values that are no array of real numbers; give nested lists of equal lengths"
    raise Rejected("parameters_shape", detail, {})


def _from_npy(text: str, limits: Limits, where: str) -> Values:
    """An array from an npy file in base64. Only plain numbers are read, and only as many as the file really holds."""
    try:
        content = base64.b64decode(text, validate=True)
        stream = io.BytesIO(content)
        version = npy.read_magic(stream)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran_order, dtype = read_header(stream, max_header_size=4096)
    except (binascii.Error, ValueError, EOFError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise Rejected("parameters_shape", f"{where} has parameter values that are no npy file", {}) from error
    length = math.prod(shape)
    if (
        dtype.kind not in "iuf"
        or length * dtype.itemsize != len(content) - stream.tell()
        or max(shape, default=0) > (limits.parameter_numbers)
    ):
        detail = (
            f"{where} has an npy file of {dtype.str} with shape {shape}, which its bytes do not hold; send real numbers"
        )
        raise Rejected("parameters_shape", detail, {})
    array = np.frombuffer(content, dtype, length, stream.tell())
    return array.reshape(shape, order="F" if fortran_order else "C").astype(np.float64)


def _one_array(array: Values, count: int, where: str) -> Values:
    """Give one array over all parameters its parameter axis."""
    if count == 1 and array.shape[-1:] != (1,):
        return array[..., None]
    if array.ndim == 0 or array.shape[-1] != count:
        found = array.shape[-1] if array.ndim else 1
        if found == 0 and count:
            _unbound(where, [], count)
        detail = (
            f"{where} has values of shape {list(array.shape)} for {count} parameters; "
            f"the last axis must have length {count}, one value for each parameter"
        )
        raise Rejected("parameters_shape", detail, {"shape": list(array.shape), "parameters": count})
    return array


def _by_name(given: Mapping[str, Any], parameters: Sequence[Parameter], where: str) -> Values:
    """Assemble the array from pieces by parameter or vector name; all pieces agree on the PUB's shape."""
    columns = {parameter.name: index for index, parameter in enumerate(parameters)}
    vectors: dict[str, list[int]] = {}
    for index, parameter in enumerate(parameters):
        vector = getattr(parameter, "vector", None)
        if vector is not None:
            vectors.setdefault(vector.name, []).append(index)
    pieces: list[tuple[list[int], Values]] = []
    for name, piece in given.items():
        places = [columns[name]] if name in columns else vectors.get(name)
        if places is None:
            detail = f'{where} gives values for "{name}", which is no parameter of its circuit; leave it out'
            raise Rejected("parameters_shape", detail, {"parameter": name})
        pieces.append((places, _array(piece, where)))
    bound = [place for places, _ in pieces for place in places]
    missing = [parameter.name for index, parameter in enumerate(parameters) if index not in set(bound)]
    if missing:
        _unbound(where, missing, len(parameters))
    if len(bound) != len(parameters):
        raise Rejected("parameters_shape", f"{where} gives values for a parameter twice; give them once", {})
    shape = _agreed_shape(pieces, where)
    values = np.empty((*shape, len(parameters)))
    for places, array in pieces:
        try:
            values[..., places] = array.reshape((*shape, len(places)))
        except ValueError:
            _disagree(where, [array for _, array in pieces])
    return values


def _agreed_shape(pieces: Sequence[tuple[list[int], Values]], where: str) -> tuple[int, ...]:
    """The shape all pieces share once their parameter axes are set aside."""
    shapes: set[tuple[int, ...]] = set()
    for places, array in pieces:
        has_axis = len(places) != 1 or array.shape[-1:] == (1,)
        shapes.add(array.shape[:-1] if has_axis else array.shape)
        if len(places) != 1 and array.shape[-1:] != (len(places),):
            _disagree(where, [array])
    if len(shapes) > 1:
        _disagree(where, [array for _, array in pieces])
    return shapes.pop() if shapes else ()


def _disagree(where: str, arrays: Sequence[Values]) -> NoReturn:
    shapes = ", ".join(str(list(array.shape)) for array in arrays[:8])
    detail = (
        f"{where} has parameter values of shapes {shapes} that do not go together; all need the same leading axes, "
        "and a vector one last axis over its elements"
    )
    raise Rejected("parameters_shape", detail, {})


def _unbound(where: str, missing: Sequence[str], count: int) -> NoReturn:
    names = f" ({', '.join(missing[:8])}{', …' if len(missing) > 8 else ''})" if missing else ""
    detail = f"{where} leaves {len(missing) or count} of {count} parameters without a value{names}; give values for all"
    raise Rejected("parameters_unbound", detail, {"parameters": count, "missing": list(missing[:100])})
