"""What the next release has: one more optional field, and one more handler."""

from benchmarks.chaos.system.releases.rows import insert_next_rows, insert_note_rows
from events import Event
from events.event import Text
from handlers import transactional


class Noted(Event):
    """Asks for one row of each of the two handlers."""

    type = "chaos.noted"

    note: Text | None = None


notes = transactional("chaos_notes", Noted, batch=40)(insert_note_rows)
notes_of_next = transactional("chaos_next", Noted, batch=40)(insert_next_rows)
