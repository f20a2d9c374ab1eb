"""Who did what, page by page, on both databases. (That nobody can change it: conformance of the books.)"""

from __future__ import annotations

from store import audit_log


def test_newest_first_page_by_page(database):
    def unit(connection):
        for n in range(5):
            audit_log.append(connection, n, "ann", "grant.issue", f"grant-{n % 2}", {"amount": n})
        audit_log.append(connection, 9, "otto", "backend.state", "aer")

    database.writer.run(unit)
    with database.read() as connection:
        first = audit_log.list_audit(connection, 2)
        assert [(row.actor, row.act, row.subject, row.detail) for row in first] == [
            ("otto", "backend.state", "aer", {}),
            ("ann", "grant.issue", "grant-0", {"amount": 4}),
        ]
        rest = audit_log.list_audit(connection, 10, before_seq=first[-1].seq)
        assert [row.at_us for row in rest] == [3, 2, 1, 0]
        about = audit_log.list_audit(connection, 10, subject="grant-1")
        assert [row.at_us for row in about] == [3, 1]
