"""Compares expected with observed effects: ours exactly once, outside ones at least once."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from enum import StrEnum
from uuid import UUID

from benchmarks.chaos.expected.effects import Expected
from benchmarks.chaos.expected.usage import Counters
from benchmarks.chaos.observed.effects import Observed

POISONED_HANDLER = "chaos_rows"  # the only one whose deliveries may and must become dead letters
NO_USAGE = Counters(0, 0, 0, "")


class Defect(StrEnum):
    """What can be wrong with an effect."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    DEAD = "dead"
    UNKEYED = "un-keyed"
    LEAKED = "leaked"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what, with which effect, and the details."""

    defect: Defect
    effect: str
    about: str

    def __str__(self) -> str:
        return f"{self.defect}: {self.effect}: {self.about}"


def compare(expected: Expected, observed: Observed) -> list[Finding]:
    """Everything that is wrong; nothing when every effect is there as often as it must be."""
    return [
        *compare_events(expected, observed),
        *compare_usage(expected, observed),
        *differences("profile", expected.profiles, observed.profiles),
        *compare_deliveries(expected, observed),
        *compare_calls(expected, observed),
        *compare_progress(expected, observed),
        *compare_emails(expected, observed),
        *compare_contacts_and_analytics(expected, observed),
        *(Finding(Defect.LEAKED, "envelope", leak) for leak in observed.providers.leaks),
    ]


def compare_events(expected: Expected, observed: Observed) -> Iterator[Finding]:
    """Events, their rows, and the follow-up events, whose ids would be new if repeated."""
    there = set(observed.events)
    yield from lost("event", (id_ for id_ in expected.published if id_ not in there))
    work_done = (event.cause for event in observed.work_done)
    yield from occurrences("follow-up", expected.calls["chaos_work"], work_done)
    given_up = (event.cause for event in observed.given_up)
    yield from occurrences("dead-letter event", expected.dead, given_up)
    follow_ups = [event.id for event in (*observed.work_done, *observed.given_up)]
    rows = [row for row in observed.rows if row not in expected.erased]
    yield from occurrences("row", [*expected.rows, *follow_ups], rows)
    yield from compare_tally(len(observed.rows), observed.tally)
    yield from occurrences("note", expected.notes, observed.notes)
    yield from occurrences("note of the next release", expected.notes, observed.next_notes)


def compare_tally(rows: int, tally: int) -> Iterator[Finding]:
    """The row that all batches of a handler add to; it shows an update that another one undid."""
    if tally != rows:
        defect = Defect.LOST if tally < rows else Defect.DUPLICATED
        yield Finding(defect, "tally", f"{tally} instead of {rows}")


def compare_usage(expected: Expected, observed: Observed) -> Iterator[Finding]:
    """The usage ledger, the counters, and the events about limits."""
    yield from occurrences("ledger", expected.ledger, observed.ledger)
    yield from occurrences("mark", expected.marks, observed.marks)
    yield from occurrences("limit event", expected.marks, observed.limit_events)
    yield from compare_counters(expected.counters, observed.counters)


def compare_counters(
    expected: Mapping[UUID, Counters], observed: Mapping[UUID, Counters]
) -> Iterator[Finding]:
    """Each user's row; where any count is too high, something was counted twice."""
    for user_id in expected.keys() | observed.keys():
        wanted, found = expected.get(user_id, NO_USAGE), observed.get(user_id, NO_USAGE)
        pairs = zip(astuple(wanted), astuple(found), strict=True)
        about = f"{user_id}: {found} instead of {wanted}"
        if any(there > right for right, there in pairs):
            yield Finding(Defect.DUPLICATED, "counters", about)
        elif wanted != found:
            yield Finding(Defect.LOST, "counters", about)


def compare_deliveries(expected: Expected, observed: Observed) -> Iterator[Finding]:
    """Nothing may remain but the dead letters of poisonous events, which must."""
    must_die = {(POISONED_HANDLER, id_) for id_ in expected.dead}
    died = {(each.handler, each.event_id) for each in observed.deliveries if each.dead}
    yield from lost("dead letter", must_die - died)
    for each in observed.deliveries:
        if not each.dead:
            about = f"{each.handler} {each.event_id} {each.error}"
            yield Finding(Defect.LOST, "still owed", about)
        elif (each.handler, each.event_id) not in must_die:
            yield Finding(Defect.DEAD, each.handler, f"{each.event_id} {each.error}")


def compare_calls(expected: Expected, observed: Observed) -> Iterator[Finding]:
    """Each call at least once, always under the same key, which no other call has."""
    done = {(call.handler, call.event) for call in observed.calls if call.done}
    keys: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    owners: dict[str | None, set[tuple[str, str]]] = defaultdict(set)
    for call in observed.calls:
        keys[call.handler, call.event].add(call.key or None)
        owners[call.key or None].add((call.handler, call.event))
    for handler, events in expected.calls.items():
        yield from lost(handler, (id_ for id_ in events if (handler, str(id_)) not in done))
    for (handler, event), under in keys.items():
        shared = any(len(owners[key]) > 1 for key in under)
        if None in under or len(under) > 1 or shared:
            yield Finding(Defect.UNKEYED, handler, f"{event} under {sorted(map(str, under))}")


def compare_progress(expected: Expected, observed: Observed) -> Iterator[Finding]:
    """Each training's last state was shown, none older after it, and a replay shows it again."""
    progress = observed.progress
    for training_id, last in expected.progress.items():
        if last not in progress.shown.get(training_id, ()):
            yield Finding(Defect.LOST, "progress", f"{last} was never shown")
        replayed = progress.replayed.get(training_id)
        if replayed != last:
            yield Finding(Defect.LOST, "replayed progress", f"{replayed} instead of {last}")
    for stale in progress.stale:
        yield Finding(Defect.LOST, "progress", f"{stale} was shown after a newer state")


def compare_emails(expected: Expected, observed: Observed) -> Iterator[Finding]:
    """Each email once, under its key; deleted users may have got theirs before, or not."""
    descriptions = {email.key: email.description for email in expected.emails}
    optional = {email.key for email in expected.emails if email.user_id in expected.deleted}
    sent = Counter(observed.providers.emails)
    for key in descriptions.keys() - optional - sent.keys():
        yield Finding(Defect.LOST, "email", descriptions[key])
    for under, count in sent.items():
        if under is None or under not in descriptions:
            yield Finding(Defect.UNKEYED, "email", f"under {under}")
        elif count > 1:
            yield Finding(Defect.DUPLICATED, "email", descriptions[under])


def compare_contacts_and_analytics(expected: Expected, observed: Observed) -> Iterator[Finding]:
    """Contacts are as profiles are, subscribers are there, analytics has each event once."""
    providers = observed.providers
    yield from occurrences("analytics", observed.analytics_events, providers.captured)
    contacts = {
        id_: (email, name and name.split()[0])
        for id_, (email, name) in expected.profiles.items()
        if email is not None
    }
    yield from differences("contact", contacts, providers.contacts)
    yield from occurrences("subscriber", expected.subscribers, providers.subscribers)
    yield from occurrences("milestone", expected.milestones, providers.milestones)


def occurrences(
    effect: str, expected: Iterable[Hashable], observed: Iterable[Hashable]
) -> Iterator[Finding]:
    """What is there too seldom, and what too often."""
    wanted, found = Counter(expected), Counter(observed)
    yield from lost(effect, (wanted - found).elements())
    for what in (found - wanted).elements():
        yield Finding(Defect.DUPLICATED, effect, str(what))


def differences(
    effect: str, expected: Mapping[UUID, object], observed: Mapping[UUID, object]
) -> Iterator[Finding]:
    """What is not as it must be, and what must not be there."""
    for id_, wanted in expected.items():
        if observed.get(id_) != wanted:
            about = f"{id_}: {observed.get(id_)} instead of {wanted}"
            yield Finding(Defect.LOST, effect, about)
    for id_ in observed.keys() - expected.keys():
        yield Finding(Defect.DUPLICATED, effect, f"{id_}: {observed[id_]} must not be there")


def lost(effect: str, missing: Iterable[object]) -> Iterator[Finding]:
    """A finding for each thing that is missing."""
    for what in missing:
        yield Finding(Defect.LOST, effect, str(what))
