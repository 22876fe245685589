"""Python's garbage collector, set for a process that reads batches of events all day.

Events make hundreds of objects per batch and no cycles. With its usual thresholds the collector
walked all that was imported again and again, which cost half of a worker's time (by `perf`).
"""

import gc

# New objects before a collection: a batch of 500 events makes about 30,000.
YOUNG_OBJECTS = 50_000


def freeze_startup_objects() -> None:
    """Exempt all that is there now from collection, and look for cycles seldom.

    Call it once everything is imported.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
