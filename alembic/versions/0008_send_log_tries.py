"""The send log counts tries; the events of a user are found when their account is closed."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# A type of event says in its schema which fields are personal, so any type may have some: the
# index has every type, and events of nobody too, which are found by an address in them.
UP = """
ALTER TABLE insights.emails ADD COLUMN tries integer NOT NULL DEFAULT 0;
CREATE INDEX events_of_user ON insights.events (user_id, type);
"""

DOWN = """
DROP INDEX insights.events_of_user;
ALTER TABLE insights.emails DROP COLUMN tries;
"""


def upgrade() -> None:
    """Add the count and the index; publishers wait while the index is built."""
    op.get_bind().connection.cursor().execute(UP)


def downgrade() -> None:
    """Drop both; how often a mail was tried is forgotten."""
    op.get_bind().connection.cursor().execute(DOWN)
