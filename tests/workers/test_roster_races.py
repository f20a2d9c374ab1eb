"""Any interleaving of orders, stops, slow connections, crashes and kills: each order ends exactly once.

Children are modelled as the real ones behave: they read ahead, honour a drop that came before the start, and what they
said before they died still arrives.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from dataclasses import dataclass, field

import pytest

from workers.child import Death
from workers.port import Failed, Key, Lost, Observation, Order, Started, Stopped, Succeeded
from workers.roster import Effect, Kill, Moment, Patience, Ping, Roster, Send, TakeBack

SEEDS = 200
STEPS = 250
WEIGHTS = {
    "add": 4,
    "repeat": 1,
    "stop": 2,
    "read": 6,
    "step": 8,
    "say": 10,
    "crash": 0.3,
    "tick": 3,
    "leap": 2,
    "retire": 0.5,
}


@dataclass
class FakeChild:
    """Its inbox is what has not been read, its outbox what the roster has not been told."""

    inbox: deque[Send | TakeBack] = field(default_factory=deque)
    orders: deque[Order] = field(default_factory=deque)
    outbox: deque[tuple[str, Key]] = field(default_factory=deque)
    running: Order | None = None
    dead: bool = False

    def read(self) -> None:
        while self.inbox:
            match self.inbox.popleft():
                case Send(_, order):
                    self.orders.append(order)
                case TakeBack(_, key):
                    self.orders = deque(order for order in self.orders if order.key != key)

    def step(self) -> None:
        """Finish what runs, or start what is next."""
        if self.dead:
            return
        if self.running is not None:
            self.outbox.append(("finished", self.running.key))
            self.running = None
        elif self.orders:
            self.running = self.orders.popleft()
            self.outbox.append(("started", self.running.key))


def _unstarted_fault(one: Observation) -> bool:
    return isinstance(one, Failed) and one.kind == "fault" and "before they could start it" in one.reason


class World:
    """The roster, its children, and everything that was ever said."""

    def __init__(self, slots: int, depth: int) -> None:
        self.now_us = 0
        self.slots = slots
        self.roster = Roster(depth, Patience(take_back_us=8, silence_us=10_000, heartbeat_us=5_000))
        self.children: dict[int, FakeChild] = {}
        self.born = 0
        self.added: list[Order] = []
        self.seen: list[Observation] = []
        self.replenish()

    @property
    def now(self) -> Moment:
        return Moment(self.now_us, self.now_us)

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(child, _) | TakeBack(child, _):
                    self.children[child].inbox.append(effect)
                case Kill(child):
                    self.children[child].dead = True
                case Ping():
                    pass
                case _:
                    self.seen.append(effect)

    def replenish(self) -> None:
        while sum(not child.dead for child in self.children.values()) < self.slots:
            self.born += 1
            self.children[self.born] = FakeChild()
            self.carry_out(self.roster.joined(self.born, self.now))

    def say(self, number: int, *, last: bool = False) -> None:
        child = self.children[number]
        if child.outbox:
            what, key = child.outbox.popleft()
            if what == "started":
                self.carry_out(self.roster.started(number, key, self.now_us, self.now))
            else:
                final = Succeeded(*key, self.now_us, b"", 1, 1, 0)
                self.carry_out(self.roster.finished(number, final, self.now, last=last))
        elif child.dead:
            del self.children[number]
            self.carry_out(self.roster.gone(number, Death("crash", "died"), self.now))
            self.replenish()

    def act(self, action: str, number: int) -> None:
        self.now_us += 1
        child = sorted(self.children)[number % len(self.children)]
        match action:
            case "add":
                self.added.append(Order(f"a{len(self.added)}", 1, "j", "aer", b"", 30 if number < 4 else 10**9, 1))
                self.carry_out(self.roster.add(self.added[-1], self.now))
            case "repeat" if self.added:
                self.carry_out(self.roster.add(self.added[number % len(self.added)], self.now))
            case "stop" if self.added:
                self.carry_out(self.roster.stop(self.added[-1 - number % len(self.added)].key, self.now))
            case "read":
                self.children[child].read()
            case "step":
                self.children[child].step()
            case "say":
                self.say(child)
            case "retire":
                self.say(child, last=True)
            case "crash":
                self.children[child].dead = True
            case "tick":
                self.carry_out(self.roster.tick(self.now))
            case "leap":
                self.now_us += 20
        self.replenish()

    def settle(self) -> None:
        """Let everybody work until nothing is left."""
        for _ in range(10_000):
            if not self.roster.inventory() and not any(child.outbox for child in self.children.values()):
                return
            for number in sorted(self.children):
                self.children[number].read()
                self.children[number].step()
                self.say(number)
            self.now_us += 1
            self.carry_out(self.roster.tick(self.now))
            self.replenish()
        raise AssertionError(f"never ends: {self.roster.inventory()}")

    def audit(self, seed: int) -> None:
        """One final word each, nothing after it, no success without a start, nobody lost."""
        finals = Counter(one.attempt_id for one in self.seen if not isinstance(one, Started))
        assert finals == Counter(order.attempt_id for order in self.added), f"seed {seed}"
        begun, ended = set(), set()
        for one in self.seen:
            assert one.attempt_id not in ended, f"seed {seed}: {one} after the end"
            if isinstance(one, Started):
                begun.add(one.attempt_id)
            else:
                ended.add(one.attempt_id)
                assert isinstance(one, Stopped) or one.attempt_id in begun or _unstarted_fault(one), f"seed {seed}"
                assert not isinstance(one, Lost), f"seed {seed}"


@pytest.mark.parametrize("slots_depth", [(1, 3), (2, 2), (3, 4)], ids=str)
def test_each_order_ends_exactly_once(slots_depth: tuple[int, int]) -> None:
    for seed in range(SEEDS):
        chance = random.Random(seed)
        world = World(*slots_depth)
        for action in chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=STEPS):
            world.act(action, chance.randrange(10))
        world.settle()
        world.audit(seed)
