"""Why an export was set inactive by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exports", sa.Column("inactive_reason", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("exports", "inactive_reason")
