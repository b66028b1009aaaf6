"""The delivery protocol as a state machine: whatever happens, in any order, every record once."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.delivery import runner as room
from shared.delivery.plan import Partition
from tests.unit.delivery.processes import Process
from tests.unit.delivery.world import PARTITIONS, Log, Part, Store, check_part

INGEST, LIVE = 2, 2  # processes
ROUNDS = 40
QUIET = 3  # rounds: seek, read, believe that it is a gap
SAME = -1  # the process of the last step: bugs need several steps of one
WHO = st.sampled_from([*range(INGEST + LIVE), SAME, SAME])
WHERE = st.sampled_from(PARTITIONS)
OWNED = st.sampled_from([PARTITIONS, PARTITIONS, PARTITIONS[:1], PARTITIONS[1:], ()])
POINT = st.sampled_from(["apply", "apply", "applied", "claim", "claimed", "rebuild", "activate"])
FAULT = st.sampled_from(["apply", "applied", "claim", "claimed", "rebuild"])
REAL = st.lists(st.sampled_from([True, True, True, False]), min_size=1, max_size=6)
REBUILD = st.sampled_from(["rebuild", "activate"])
DISASTER = st.sampled_from(
    ["records expire", "the log loses its tail"] + 3 * ["a backup is taken", "a store goes back"]
)
MOST = st.integers(1, 8)
HINT = st.sampled_from([0, 2, 5, 10])


class Delivery(RuleBasedStateMachine):
    """Two groups on one log: ingest's store, and live cells that are rebuilt from it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.logs = {partition: Log() for partition in PARTITIONS}
        self.number = 0
        self.last = 0
        self.ingest, self.live = Store(), Store()
        self.processes = [self._started(who) for who in range(INGEST + LIVE)]
        self.known: set[tuple[int, Partition]] = set()

    def _started(self, who: int) -> Process:
        if who < INGEST:
            return Process(self.logs, self.ingest, None)
        return Process(self.logs, self.live, self.ingest)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(work)

    @initialize()
    def begin(self) -> None:
        for process in self.processes:
            process.consumer.assign(PARTITIONS, 0)

    # ── The log ─────────────────────────────────────────────────────────────────────────────────
    @rule(where=WHERE, real=REAL)
    def append(self, where: Partition, real: list[bool]) -> None:
        log, told = self.logs[where], self._told(where)
        # A log that lost its tail and grew past the fence again shows nothing by its offsets:
        # whatever was told of the lost records stays above its end.
        most = told - 1 - log.end if told > log.end else len(real)
        log.append([self.number + place if yes else None for place, yes in enumerate(real[:most])])
        self.number += len(real)

    def _told(self, where: Partition) -> int:
        """The offset up to which a store, a backup or a batch in flight knows the log."""
        held = (part for store in (self.ingest, self.live) for part in store.all_of(where))
        flying = (one for process in self.processes for one in process.holds)
        return max(
            [part.fence.next_offset for part in held]
            + [one.offset + 1 for one in flying if one.partition == where.partition],
            default=0,
        )

    @rule(disaster=DISASTER, where=WHERE, live=st.booleans(), count=st.integers(0, 6))
    def disaster(self, disaster: str, where: Partition, live: bool, count: int) -> None:
        log, store = self.logs[where], self.live if live else self.ingest
        if disaster == "records expire":
            log.expire(log.end - count)
        elif disaster == "the log loses its tail":
            log.lose_tail(log.end - count)
        elif disaster == "a backup is taken":
            store.backup = dict(store.parts)
        elif disaster == "a store goes back":
            store.go_back(store.backup)

    @rule(who=st.integers(INGEST, INGEST + LIVE - 1), hold=st.none() | REBUILD)
    def lose_live(self, who: int, hold: str | None) -> None:
        """Redis is empty; somebody starts to rebuild it, and may be held at that."""
        self.live.go_back({})
        self._do(self._chosen(who).look_around(hold=hold))

    # ── The processes ───────────────────────────────────────────────────────────────────────────
    def _chosen(self, who: int) -> Process:
        self.last = self.last if who == SAME else who
        return self.processes[self.last]

    @rule(who=WHO, partitions=OWNED, hint=HINT)
    def assign(self, who: int, partitions: tuple[Partition, ...], hint: int) -> None:
        self._chosen(who).consumer.assign(partitions, hint)

    @rule(who=WHO, most=MOST)
    def deliver(self, who: int, most: int) -> None:
        self._do(self._chosen(who).deliver(most))

    @rule(who=WHO, most=MOST, hold=POINT)
    def deliver_and_hold(self, who: int, most: int, hold: str) -> None:
        self._do(self._chosen(who).deliver(most, hold=hold))

    @rule(who=WHO, most=MOST, fault=FAULT, patient=st.booleans())
    def deliver_and_fail(self, who: int, most: int, fault: str, patient: bool) -> None:
        room.RETRY_TOTAL_S = 60 if patient else -1
        self._do(self._chosen(who).deliver(most, fault=fault))

    @rule(who=WHO, hold=st.none() | POINT)
    def look_around(self, who: int, hold: str | None) -> None:
        self._do(self._chosen(who).look_around(hold=hold))

    @rule(who=WHO)
    def release(self, who: int) -> None:
        self._do(self._chosen(who).release())

    @rule(who=WHO, partitions=OWNED, hint=HINT)
    def crash(self, who: int, partitions: tuple[Partition, ...], hint: int) -> None:
        self._do(self._chosen(who).kill())
        self.processes[self.last] = self._started(self.last)
        self.processes[self.last].consumer.assign(partitions, hint)
        self.known = {one for one in self.known if one[0] != self.last}

    # ── What always holds ───────────────────────────────────────────────────────────────────────
    @invariant()
    def every_record_once(self) -> None:
        for store in (self.ingest, self.live):
            for where, part in store.parts.items():
                check_part(part, self.logs[where])

    @invariant()
    def no_zombie_writes(self) -> None:
        assert not self.ingest.zombies + self.live.zombies, "written after another one's claim"

    @invariant()
    def no_false_alarm(self) -> None:
        standing = {
            (who, where)
            for who, process in enumerate(self.processes)
            for where in process.runner.incidents
        }
        for who, where in standing - self.known:
            assert self._contradicts(self.processes[who], where), "an incident for nothing"
        self.known = standing

    def _contradicts(self, process: Process, where: Partition) -> bool:
        store, log = process.link.store, self.logs[where]
        fences = [part.fence for part in (store.parts.get(where),) if part]
        era, answer = process.link.answers[where]
        if era != store.era:
            fences.append(answer)  # the store went back while this answer was on its way
        return any(not log.start <= fence.next_offset <= log.end for fence in fences)

    # ── In the end ──────────────────────────────────────────────────────────────────────────────
    def teardown(self) -> None:
        try:
            for who in range(INGEST + LIVE):
                self.crash(who, (), 0)
            for who in (0, INGEST):
                self._drain(who)
        finally:
            for process in self.processes:
                self._do(process.kill())
            self.loop.close()

    def _drain(self, who: int) -> None:
        """All is well again and one process has everything: it stores all, or stands still."""
        process = self.processes[who]
        process.consumer.assign(PARTITIONS, 0)
        stopped: dict[Partition, Part] = {}
        quiet = 0
        for _ in range(ROUNDS):
            before = dict(process.link.store.parts)
            self._do(process.look_around())
            self._do(process.deliver(100))
            for where in process.runner.incidents:
                # It is claimed at every look, in case somebody has decided what it means.
                part = process.link.store.parts[where]
                part = part._replace(fence=part.fence._replace(epoch=0))
                assert stopped.setdefault(where, part) == part, "it went on after an incident"
            quiet = quiet + 1 if before == process.link.store.parts else 0
            if quiet == QUIET:
                break
        self.every_record_once()
        self.no_false_alarm()
        for where, log in self.logs.items():
            if where not in process.runner.incidents:
                left = log.records(where, process.link.store.parts[where].fence.next_offset, 1)
                assert not left, "records that nobody ever applies"
