"""Deliveries count how often their provider was out of order for them alone."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the count; no row is written."""
    op.execute("ALTER TABLE insights.deliveries ADD COLUMN setbacks integer NOT NULL DEFAULT 0")


def downgrade() -> None:
    """Drop the count."""
    op.execute("ALTER TABLE insights.deliveries DROP COLUMN setbacks")
