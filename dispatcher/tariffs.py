"""The rate card: operators add lines, everybody may read it, nobody changes what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backends.catalogue import spec_of
from dispatcher.claims import SIMULATOR
from dispatcher.funding import operators_only
from dispatcher.ground import Ground
from dispatcher.model import Caller, Refusal
from ledger.rates import EVERY_BACKEND, WHOLE_DAY, RateLine
from store import audit_log, rate_lines
from store.database import Connection

_UNNAMED = "new"
PRICE_MAX = 10**11
"""Of one quantum, in micro-units: the price of the longest job still fits the books by far."""


@dataclass(frozen=True, slots=True)
class NewRate:
    """A line as asked for; `valid_from_us` None means from now on."""

    resource: str
    unit_price: int
    quantum: int = 1
    backend: str = EVERY_BACKEND
    hours: tuple[int, int] = WHOLE_DAY
    valid_from_us: int | None = None
    valid_until_us: int | None = None


class Tariffs:
    """Prices."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def rates(self) -> list[RateLine]:
        """The whole card: built-in lines first, then those that operators added, oldest first."""
        with self._ground.database.read() as conn:
            return [*self._ground.rules.rates, *rate_lines.all_lines(conn)]

    def add_rates(self, caller: Caller, wanted: Sequence[NewRate]) -> list[RateLine] | Refusal:
        """Add lines, all or none. None begins in the past: what was priced then stays priced so.

        Refusals: forbidden, invalid_request.
        """
        if caller.role != "operator":
            return operators_only(caller)
        now = self._ground.now_us()
        lines: list[RateLine] = []
        for one in wanted:
            line = self._line(one, now)
            if isinstance(line, Refusal):
                return line
            lines.append(line)

        def unit(conn: Connection) -> list[RateLine]:
            rate_lines.insert_lines(conn, lines)
            for line in lines:
                detail = {"resource": line.resource, "backend": line.backend, "hours": list(line.hours)}
                price = {"unit_price": line.unit_price, "quantum": line.quantum, "valid_from_us": line.valid_from_us}
                audit_log.append(conn, now, caller.member_id, "rate.add", line.id, {**detail, **price})
            return lines

        return self._ground.database.writer.run(unit)

    def _line(self, wanted: NewRate, now: int) -> RateLine | Refusal:
        if wanted.valid_from_us is not None and wanted.valid_from_us < now:
            detail = "A rate begins now or later: what has been priced stays priced so."
            return Refusal("invalid_request", detail, {"valid_from_us": wanted.valid_from_us, "now_us": now})
        if wanted.unit_price > PRICE_MAX:
            detail = f"unit_price is {wanted.unit_price}; at most {PRICE_MAX} micro-units are allowed."
            return Refusal("invalid_request", detail, {"unit_price": wanted.unit_price, "limit": PRICE_MAX})
        if wanted.backend not in (EVERY_BACKEND, SIMULATOR) and spec_of(wanted.backend) is None:
            detail = (
                f"A rate is for a backend, for all of them ({EVERY_BACKEND!r}) or for the class {SIMULATOR!r}, "
                f"not for {wanted.backend!r}."
            )
            return Refusal("invalid_request", detail, {"backend": wanted.backend})
        try:
            # The card's own checks speak of a line by its id, which is drawn last.
            drawn = RateLine(
                _UNNAMED,
                wanted.resource,  # type: ignore[arg-type]
                wanted.unit_price,
                wanted.quantum,
                wanted.backend,
                wanted.hours,
                now if wanted.valid_from_us is None else wanted.valid_from_us,
                wanted.valid_until_us,
                now,
            )
        except ValueError as wrong:
            detail = str(wrong).removeprefix(f"rate {_UNNAMED}: ")
            return Refusal("invalid_request", f"This is no rate: {detail}.", {"resource": wanted.resource})
        return replace(drawn, id=self._ground.new_id("rate"))
