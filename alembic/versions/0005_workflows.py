"""What starts a workflow at Loops is remembered as emails are: once for ever, or held."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The table stays until no worker of the release before can run; what one of those still tells is
# told under the same key.
UP = """
INSERT INTO insights.emails (user_id, template, about, event_id, tried_at, sent_at)
SELECT user_id, 'workflow ' || name, '', user_id, reached_at, reached_at FROM insights.milestones;
"""

DOWN = """
INSERT INTO insights.milestones
SELECT user_id, replace(template, 'workflow ', ''), sent_at FROM insights.emails
WHERE template LIKE 'workflow %' AND about = '' AND sent_at IS NOT NULL
ON CONFLICT DO NOTHING;
DELETE FROM insights.emails WHERE template LIKE 'workflow %';
"""


def upgrade() -> None:
    """Take over what was told."""
    op.get_bind().connection.cursor().execute(UP)


def downgrade() -> None:
    """Give it back; absences that were told are forgotten."""
    op.get_bind().connection.cursor().execute(DOWN)
