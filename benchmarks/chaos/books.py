"""Balances the books: every effect here exactly once, every effect outside at least once."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from enum import StrEnum
from uuid import UUID

from benchmarks.chaos.expected import Expected
from benchmarks.chaos.ledger import Standing
from benchmarks.chaos.seen import Seen

POISONED = "chaos_rows"
NOTHING = Standing(0, 0, 0, "")


class Wrong(StrEnum):
    """What can be wrong with an effect."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    DEAD = "dead"
    UNKEYED = "un-keyed"
    LEAKED = "leaked"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what, of which effect, and about what."""

    wrong: Wrong
    effect: str
    about: str

    def __str__(self) -> str:
        return f"{self.wrong}: {self.effect}: {self.about}"


def balance(expected: Expected, seen: Seen) -> list[Finding]:
    """Everything that is wrong; nothing when the books balance."""
    return [
        *facts(expected, seen),
        *usage(expected, seen),
        *identities(expected, seen),
        *debts(expected, seen),
        *outside(expected, seen),
        *news(expected, seen),
        *emails(expected, seen),
        *audience(expected, seen),
        *leaks(seen),
    ]


def facts(expected: Expected, seen: Seen) -> Iterator[Finding]:
    """Events, their rows, and what followed from them by ids that are new each time."""
    there = set(seen.events)
    yield from lost("event", (id_ for id_ in expected.published if id_ not in there))
    work_done = (caused.by for caused in seen.work_done)
    yield from compare("follow-up", expected.calls["chaos_work"], work_done)
    yield from compare("funeral", expected.dead, (caused.by for caused in seen.given_up))
    followed = [caused.id for caused in (*seen.work_done, *seen.given_up)]
    yield from compare("row", [*expected.rows, *followed], seen.rows)


def usage(expected: Expected, seen: Seen) -> Iterator[Finding]:
    """The ledger, the counters and what was said about limits."""
    yield from compare("ledger", expected.ledger, seen.ledger)
    yield from compare("mark", expected.marks, seen.marks)
    yield from compare("limit event", expected.marks, seen.limit_events)
    yield from counters(expected.standings, seen.standings)


def identities(expected: Expected, seen: Seen) -> Iterator[Finding]:
    """Profiles: one that is not the newest lost some news, one too many came back."""
    yield from differing("profile", expected.profiles, seen.profiles)


def debts(expected: Expected, seen: Seen) -> Iterator[Finding]:
    """Nothing is owed but the dead letters that had to die."""
    must_die = {(POISONED, id_) for id_ in expected.dead}
    died = {(debt.handler, debt.event_id) for debt in seen.owed if debt.dead}
    yield from lost("dead letter", must_die - died)
    for debt in seen.owed:
        if not debt.dead:
            yield Finding(Wrong.LOST, "still owed", f"{debt.handler} {debt.event_id} {debt.error}")
        elif (debt.handler, debt.event_id) not in must_die:
            yield Finding(Wrong.DEAD, debt.handler, f"{debt.event_id} {debt.error}")


def outside(expected: Expected, seen: Seen) -> Iterator[Finding]:
    """Each effect outside at least once, always under the same key, which is nobody else's."""
    done = {(call.handler, call.event) for call in seen.calls if call.done}
    keys: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    owners: dict[str | None, set[tuple[str, str]]] = defaultdict(set)
    for call in seen.calls:
        keys[call.handler, call.event].add(call.key or None)
        owners[call.key or None].add((call.handler, call.event))
    for handler, events in expected.calls.items():
        yield from lost(handler, (id_ for id_ in events if (handler, str(id_)) not in done))
    for (handler, event), under in keys.items():
        shared = any(len(owners[key]) > 1 for key in under)
        if None in under or len(under) > 1 or shared:
            yield Finding(Wrong.UNKEYED, handler, f"{event} under {sorted(map(str, under))}")


def news(expected: Expected, seen: Seen) -> Iterator[Finding]:
    """The last state of each training was shown, no older one after it, and it can be again."""
    for id_, last in expected.news.items():
        if last not in seen.shown.get(id_, ()):
            yield Finding(Wrong.LOST, "progress", f"{last} was never shown")
        if seen.board.get(id_) != last:
            yield Finding(Wrong.LOST, "board", f"{seen.board.get(id_)} instead of {last}")
    for stale in seen.stale:
        yield Finding(Wrong.LOST, "progress", f"{stale} was shown after newer news")


def emails(expected: Expected, seen: Seen) -> Iterator[Finding]:
    """Each email once, under its key; who left may have got one before."""
    about = {letter.key: letter.about for letter in expected.letters}
    optional = {letter.key for letter in expected.letters if letter.user_id in expected.left}
    sent = Counter(seen.told.emails)
    for key in about.keys() - optional - sent.keys():
        yield Finding(Wrong.LOST, "email", about[key])
    for under, count in sent.items():
        if under is None or under not in about:
            yield Finding(Wrong.UNKEYED, "email", f"under {under}")
        elif count > 1:
            yield Finding(Wrong.DUPLICATED, "email", about[under])


def audience(expected: Expected, seen: Seen) -> Iterator[Finding]:
    """Contacts are as profiles are, readers are there, and each event is known once."""
    yield from compare("analytics", seen.tracked, seen.told.captured)
    wanted = {
        id_: (email, name and name.split()[0])
        for id_, (email, name) in expected.profiles.items()
        if email is not None
    }
    yield from differing("contact", wanted, seen.told.contacts)
    yield from compare("reader", expected.readers, seen.told.readers)
    yield from compare("workflow", expected.firsts, seen.told.firsts)


def leaks(seen: Seen) -> Iterator[Finding]:
    """Nothing personal may reach Sentry."""
    for envelope in seen.told.leaks:
        yield Finding(Wrong.LEAKED, "envelope", envelope)


def counters(expected: Mapping[UUID, Standing], seen: Mapping[UUID, Standing]) -> Iterator[Finding]:
    """Each user's row; a count that is too high was counted twice."""
    for id_ in expected.keys() | seen.keys():
        wanted, found = expected.get(id_, NOTHING), seen.get(id_, NOTHING)
        pairs = list(zip(astuple(wanted), astuple(found), strict=True))
        about = f"{id_}: {found} instead of {wanted}"
        if any(there > right for right, there in pairs):
            yield Finding(Wrong.DUPLICATED, "counters", about)
        elif wanted != found:
            yield Finding(Wrong.LOST, "counters", about)


def compare(
    effect: str, expected: Iterable[Hashable], seen: Iterable[Hashable]
) -> Iterator[Finding]:
    """What is there too seldom, and what too often."""
    wanted, found = Counter(expected), Counter(seen)
    yield from lost(effect, (wanted - found).elements())
    for what in (found - wanted).elements():
        yield Finding(Wrong.DUPLICATED, effect, str(what))


def differing(
    effect: str, expected: Mapping[UUID, object], seen: Mapping[UUID, object]
) -> Iterator[Finding]:
    """What is not as it must be, and what must not be there."""
    for id_, wanted in expected.items():
        if seen.get(id_) != wanted:
            yield Finding(Wrong.LOST, effect, f"{id_}: {seen.get(id_)} instead of {wanted}")
    for id_ in seen.keys() - expected.keys():
        yield Finding(Wrong.DUPLICATED, effect, f"{id_}: {seen[id_]} must not be there")


def lost(effect: str, missing: Iterable[object]) -> Iterator[Finding]:
    """A finding for each thing that is missing."""
    for what in missing:
        yield Finding(Wrong.LOST, effect, str(what))
