"""Who holds a delivery of Upload again, and how often its worker died."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("worker", sa.Text(), nullable=True))
    op.add_column("deliveries", sa.Column("deaths", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_deliveries_held", "deliveries", ["lease_until"], postgresql_where=sa.text("lease_until IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_held", table_name="deliveries")
    op.drop_column("deliveries", "deaths")
    op.drop_column("deliveries", "worker")
