"""Python's garbage collector, set for a process that reads batches of events all day.

Events make hundreds of objects per batch and no cycles. With its usual thresholds the collector
walked all that was imported again and again, which cost half of a worker's time.
"""

import gc

YOUNG = 50_000


def spare_what_stays() -> None:
    """Leave alone what is there now, and look for cycles seldom. Call it once all is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
