"""Without the SDK: OpenQASM 3 text over HTTP, from any language that can send JSON.

Needs QUBATOR_URL and QUBATOR_TOKEN in the environment.
"""

from __future__ import annotations

import os
import uuid

import httpx

from circuits import TOSS_QASM3


def main() -> None:
    """Submit with an Idempotency-Key, so that sending twice makes one job; wait; read counts and receipt."""
    missing = [name for name in ("QUBATOR_URL", "QUBATOR_TOKEN") if name not in os.environ]
    if missing:
        raise SystemExit(f"set {' and '.join(missing)} first: the address of the service, and a token of yours")
    headers = {"Authorization": f"Bearer {os.environ['QUBATOR_TOKEN']}"}
    request = {
        "primitive": "sampler",
        "pubs": [{"circuit": {"format": "openqasm3", "content": TOSS_QASM3}, "shots": 500}],
        "options": {"seed": 11},
        "tags": ["example"],
    }
    with httpx.Client(base_url=os.environ["QUBATOR_URL"], headers=headers, timeout=60) as http:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        job = http.post("/v1/jobs", json=request, headers=key).raise_for_status().json()
        again = http.post("/v1/jobs", json=request, headers=key).raise_for_status().json()
        assert job["id"] == again["id"]
        result = http.get(f"/v1/jobs/{job['id']}/result", params={"wait": 30, "format": "counts"})
        print(result.raise_for_status().json())
        receipt = http.get(f"/v1/jobs/{job['id']}/receipt").raise_for_status().json()
        print("charged", receipt["charged"], "micro-yuan of", receipt["held"], "held")


if __name__ == "__main__":
    main()
