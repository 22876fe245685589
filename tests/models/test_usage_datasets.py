"""A data set counts once by its id while it is there, in any order of its events."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from events import DatasetDeleted, uuid7
from models.usage_ledger import Use, count
from runtime.assembly import Assembly
from tests.factories import dataset_uploaded, publish_now, sign_up

NOW = datetime.now(UTC)
COUNT = text("SELECT datasets_count FROM public.usage_limits WHERE user_id = :user")
LEFT = text("SELECT remaining FROM public.check_limit(:user, 'datasets')")
INCREMENT = text("SELECT public.increment_usage(:user, 'datasets', :amount)")
# The call of releases before the one that counts by ids.
OLD_CALL = text("""
    SELECT FROM insights.mark_usage(ARRAY(
        SELECT t::insights.usage_total FROM insights.count_usage(
            CAST(:ids AS uuid[]), CAST(:users AS uuid[]), CAST(:resources AS text[]),
            CAST(:amounts AS integer[]), CAST(:times AS timestamptz[])) AS t))
""")


def upload(user: UUID, dataset: str, minute: int = 0) -> Use:
    return Use(uuid7(), user, "datasets", 1, NOW + timedelta(minutes=minute), dataset)


def deletion(user: UUID, dataset: str, minute: int = 1) -> Use:
    return Use(uuid7(), user, "datasets", -1, NOW + timedelta(minutes=minute), dataset)


def count_each(assembly: Assembly, *uses: Use) -> None:
    """Count each in a transaction of its own."""
    for use in uses:
        count_together(assembly, [use])


def count_together(assembly: Assembly, uses: Sequence[Use]) -> None:
    with assembly.sessions.begin() as session:
        count(session, uses)


def counted(assembly: Assembly, user: UUID) -> Any:
    with assembly.engine.connect() as connection:
        return connection.scalar(COUNT, {"user": user})


def remaining(assembly: Assembly, user: UUID) -> Any:
    with assembly.engine.connect() as connection:
        return connection.scalar(LEFT, {"user": user})


def test_deleting_an_unknown_data_set_gives_no_sixth(assembly: Assembly, user_id: UUID) -> None:
    count_each(assembly, *(upload(user_id, f"d-{n}") for n in range(5)))

    count_each(assembly, deletion(user_id, "another"))

    assert (counted(assembly, user_id), remaining(assembly, user_id)) == (5, 0)


def test_deleting_twice_gives_back_once(assembly: Assembly, user_id: UUID) -> None:
    count_each(assembly, upload(user_id, "a"), upload(user_id, "b"))

    count_each(assembly, deletion(user_id, "a", 1), deletion(user_id, "a", 2))

    assert counted(assembly, user_id) == 1


def test_uploading_twice_counts_once_while_it_is_there_and_again_after(
    assembly: Assembly, user_id: UUID
) -> None:
    count_each(assembly, upload(user_id, "a"), upload(user_id, "a", 1))
    assert counted(assembly, user_id) == 1

    count_each(assembly, deletion(user_id, "a", 2))
    assert counted(assembly, user_id) == 0

    count_each(assembly, upload(user_id, "a", 3))
    assert counted(assembly, user_id) == 1


def test_users_have_data_sets_of_the_same_id_each_for_themselves(assembly: Assembly) -> None:
    ada, bea = sign_up(assembly), sign_up(assembly)
    count_each(assembly, upload(ada, "a"), upload(bea, "a"), deletion(bea, "a"))

    assert (counted(assembly, ada), counted(assembly, bea)) == (1, 0)


def test_a_deletion_that_overtakes_its_upload_is_not_undone_by_it(
    assembly: Assembly, user_id: UUID
) -> None:
    count_each(assembly, deletion(user_id, "a", 1), upload(user_id, "a", 0))

    assert counted(assembly, user_id) == 0


def test_rpc_goes_on_as_a_counter_beside_data_sets(
    assembly: Assembly, connection: Connection, user_id: UUID
) -> None:
    count_each(assembly, upload(user_id, "a"))
    connection.execute(INCREMENT, {"user": user_id, "amount": 3})
    connection.execute(INCREMENT, {"user": user_id, "amount": -1})
    count_each(assembly, deletion(user_id, "a"), deletion(user_id, "another"))

    assert counted(assembly, user_id) == 2


def test_no_more_is_given_back_by_name_of_nothing_than_was_counted(
    assembly: Assembly, connection: Connection, user_id: UUID
) -> None:
    count_each(assembly, upload(user_id, "a"))
    for amount in (-3, 1, -2, -1):
        connection.execute(INCREMENT, {"user": user_id, "amount": amount})

    assert counted(assembly, user_id) == 1


def test_an_older_release_counts_by_the_ids_of_the_stored_events(
    assembly: Assembly, connection: Connection, user_id: UUID
) -> None:
    """It hands over no data sets, and amounts as integers."""
    first = dataset_uploaded(user_id, NOW, "a")
    again = dataset_uploaded(user_id, NOW + timedelta(minutes=1), "a")
    unknown = DatasetDeleted(user_id=user_id, dataset_id="another")
    publish_now(assembly, first, again, unknown)

    for event, amount in ((first, 1), (again, 1), (unknown, -1)):
        connection.execute(
            OLD_CALL,
            {
                "ids": [event.id],
                "users": [user_id],
                "resources": ["datasets"],
                "amounts": [amount],
                "times": [event.occurred_at],
            },
        )

    assert counted(assembly, user_id) == 1


@given(data=st.data())
@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_order_and_repetition_of_uploads_and_deletions_ends_in_the_same_count(
    assembly: Assembly, data: st.DataObject
) -> None:
    user = sign_up(assembly)
    made = data.draw(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 5)),
            min_size=1,
            max_size=8,
        )
    )
    uses = [(upload if up else deletion)(user, dataset, at) for dataset, up, at in made]
    again = data.draw(st.lists(st.sampled_from(uses), max_size=6))
    order = data.draw(st.permutations([*uses, *again]))
    size = data.draw(st.integers(1, len(order)))

    for start in range(0, len(order), size):
        count_together(assembly, order[start : start + size])

    newest = {dataset: max((at, not up) for d, up, at in made if d == dataset) for dataset in "abc"
              if any(d == dataset for d, _, _ in made)}  # fmt: skip
    assert counted(assembly, user) == sum(not deleted for _, deleted in newest.values())


def test_batches_at_once_about_the_same_data_sets_are_counted_exactly(
    assembly: Assembly, user_id: UUID
) -> None:
    """Each of four threads uploads and deletes the same twelve, in an order of its own."""
    batches = [
        [
            make(user_id, f"d-{n}", 2 * round_ + (make is deletion))
            for n in range(12)
            for make in (upload, deletion)[: 2 - (round_ == 9 and n % 3 == 0)]
        ]
        for round_ in range(10)
    ]

    def work(mine: Sequence[Sequence[Use]]) -> None:
        for batch in mine:
            count_together(assembly, batch)

    orders = (batches, batches[::-1], batches[5:] + batches[:5], batches[::2])
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, mine) for mine in orders]:
            done.result()

    assert counted(assembly, user_id) == 4
