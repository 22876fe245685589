"""What the release that runs all the time has."""

from benchmarks.chaos.system.releases.rows import insert_note_rows
from events import Event
from handlers import transactional


class Noted(Event):
    """Asks for one row."""

    type = "chaos.noted"


notes = transactional("chaos_notes", Noted, batch=40)(insert_note_rows)
