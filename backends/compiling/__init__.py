"""From a circuit to one that a device runs: by one compiler, or by several of which the best is kept.

Knows targets (`qiskit.transpiler.Target`), not devices; see `choosing` for the one function that matters.
"""

from backends.compiling.calibrated import Calibrated
from backends.compiling.choosing import Compiled, compile_circuit
from backends.compiling.figures import Figures
from backends.compiling.options import CompileOptions

__all__ = ["Calibrated", "CompileOptions", "Compiled", "Figures", "compile_circuit"]
