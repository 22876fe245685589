"""What starts a workflow at Loops is remembered as emails are: once for ever, or held."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UP = """
INSERT INTO insights.emails (user_id, template, about, event_id, tried_at, sent_at)
SELECT user_id, 'workflow ' || name, '', user_id, reached_at, reached_at FROM insights.milestones;
DROP TABLE insights.milestones;
"""

DOWN = """
CREATE TABLE insights.milestones (
    user_id uuid,
    name text,
    reached_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, name)
);
ALTER TABLE insights.milestones ENABLE ROW LEVEL SECURITY;
INSERT INTO insights.milestones
SELECT user_id, replace(template, 'workflow ', ''), sent_at FROM insights.emails
WHERE template LIKE 'workflow %' AND about = '' AND sent_at IS NOT NULL;
DELETE FROM insights.emails WHERE template LIKE 'workflow %';
"""


def upgrade() -> None:
    """Move what was told."""
    op.get_bind().connection.cursor().execute(UP)


def downgrade() -> None:
    """Move it back; what is told once an absence is forgotten."""
    op.get_bind().connection.cursor().execute(DOWN)
