"""One thread for every library that would start more: with neighbours on the machine, threads only wait for each other.

Imported before the libraries it speaks to; what the operator has set stays. Import-light.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "QISKIT_NUM_PROCS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("QISKIT_PARALLEL", "FALSE")
