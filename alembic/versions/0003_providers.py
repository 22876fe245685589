"""What must be remembered about people and providers: emails sent, workflows told, last deeds."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE insights.emails (
    user_id uuid,
    template text,
    about text,
    event_id uuid NOT NULL,
    tried_at timestamptz,
    sent_at timestamptz,
    held_at timestamptz,
    PRIMARY KEY (user_id, template, about)
);
CREATE INDEX emails_held ON insights.emails (held_at) WHERE held_at IS NOT NULL;

CREATE TABLE insights.milestones (
    user_id uuid,
    name text,
    reached_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, name)
);

CREATE TABLE insights.activity (
    user_id uuid PRIMARY KEY,
    last_active_at timestamptz NOT NULL,
    is_told boolean NOT NULL DEFAULT false
) WITH (fillfactor = 70);
CREATE INDEX activity_untold ON insights.activity (last_active_at) WHERE NOT is_told;

CREATE INDEX events_of_choice ON insights.events (user_id, occurred_at)
    WHERE type = 'user.analytics_choice_made';

ALTER TABLE insights.emails ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.milestones ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.activity ENABLE ROW LEVEL SECURITY;
"""

DOWN = """
DROP INDEX insights.events_of_choice;
DROP TABLE insights.emails, insights.milestones, insights.activity;
"""


def upgrade() -> None:
    """Create the tables."""
    op.get_bind().connection.cursor().execute(UP)


def downgrade() -> None:
    """Drop them; what was sent is forgotten."""
    op.get_bind().connection.cursor().execute(DOWN)
