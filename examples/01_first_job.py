"""A Bell pair: price first, then the job, its counts and its receipt.

Needs QUBATOR_URL and QUBATOR_TOKEN in the environment (or `qubator login`).
"""

from __future__ import annotations

from circuits import bell
from qubator import Client


def main() -> None:
    """Quote, submit, wait, read."""
    with Client() as client:
        quote = client.quote(bell(), shots=1000)
        print(f"expected {quote.expected}, at most {quote.ceiling}, wait about {quote.wait_us / 1e6:.1f} s")
        job = client.submit(bell(), shots=1000, seed=7, name="my first Bell pair")
        print("counts", job.counts()[0])
        print("charged", job.cost)
        for sentence in job.receipt()["explanation"]:
            print(" ", sentence)
        quota = client.quota()
        print(f"settled {quota.settled}, held {quota.held}, available {quota.available}")


if __name__ == "__main__":
    main()
