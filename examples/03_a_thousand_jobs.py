"""Many one-circuit jobs in a few requests: submit, wait for all, add up what they cost.

Needs QUBATOR_URL and QUBATOR_TOKEN in the environment (or `qubator login`). Pass a number for another count.
Each waiting job holds up to ¥0.126 of the grant: a thousand need ¥127 available, though they cost only a few.
"""

from __future__ import annotations

import sys
import time

from circuits import ghz
from qubator import Client


def main() -> None:
    """The batch endpoint takes up to 1,000 jobs a request; each is accepted or refused by itself."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with Client() as client:
        before = client.quota()
        began = time.monotonic()
        jobs = client.submit_many([ghz(2 + number % 8) for number in range(count)], shots=256)
        submitted = time.monotonic()
        client.wait_all(jobs, progress=True)
        ended = time.monotonic()
        charged = sum(job.cost.micro for job in client.jobs(limit=count) if job.cost is not None)
        after = client.quota()
    print(f"{count} jobs submitted in {submitted - began:.2f} s, ended {ended - began:.2f} s after the first submit")
    print(f"charged {charged} micro-yuan, balance went down by {before.available.micro - after.available.micro}")


if __name__ == "__main__":
    main()
