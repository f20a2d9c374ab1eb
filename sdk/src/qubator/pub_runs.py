"""From coerced PUBs to one job of the service: the road that the primitives and `backend.run` share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.primitives.containers import BitArray, DataBin, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qubator.client import Client
from qubator.options import PrimitiveOptions
from qubator.primitive_job import EmptyJob, PrimitiveJob
from qubator.submission import JobTerms, Primitive, encode_pubs, request_body


def submit_pubs(client: Client, kind: Primitive, options: PrimitiveOptions, pubs: Sequence[Any]) -> PrimitiveJob:
    """Submit one job of the PUBs. Those of a sampler that measure nothing are answered here: all their bits are 0, and
    when none is left there is no job and no cost."""
    settled = {
        place: _unmeasured(pub) for place, pub in enumerate(pubs) if kind == "sampler" and measures_nothing(pub.circuit)
    }
    sent = [pub for place, pub in enumerate(pubs) if place not in settled]
    if not sent:
        return EmptyJob(list(settled.values()))
    terms = JobTerms(
        seed=_seed_of(options.seed),
        backend=options.backend,
        priority=options.priority,
        tags=options.tags,
        metadata=options.metadata,
        name=options.name,
        time_limit_s=options.time_limit_s,
        max_cost=options.max_cost,
        project=options.project,
        category=options.category,
    )
    job = client.submit_encoded(lambda qpy: request_body(encode_pubs(sent, kind, terms, qpy), kind, terms))
    return PrimitiveJob(job, [pub.circuit.metadata for pub in sent], settled)


def measures_nothing(circuit: QuantumCircuit) -> bool:
    """Whether no instruction of the circuit can set a classical bit: there is nothing to run for a sampler."""
    if not circuit.cregs:
        return True
    if "measure" in circuit.count_ops():
        return False
    return all(not each.clbits and not each.is_control_flow() and each.name != "store" for each in circuit.data)


def _unmeasured(pub: SamplerPub) -> SamplerPubResult:
    bits = {
        register.name: BitArray(np.zeros((*pub.shape, pub.shots, -(-register.size // 8)), np.uint8), register.size)
        for register in pub.circuit.cregs
    }
    metadata = {"shots": pub.shots, "circuit_metadata": pub.circuit.metadata}
    return SamplerPubResult(DataBin(**bits, shape=pub.shape), metadata=metadata)


def _seed_of(seed: Any) -> int | None:
    if seed is None:
        return None
    integers = getattr(seed, "integers", None)
    return int(integers(2**31)) if callable(integers) else int(seed)
