"""How long the rows of Logs are kept, and the files whose time is over found without reading every run."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("brands", sa.Column("log_days", sa.Integer(), nullable=True))
    op.create_check_constraint("ck_brands_log_days", "brands", "log_days > 0")
    op.create_index(
        "ix_runs_kept_until", "runs", ["kept_until", "id"], postgresql_where=sa.text("artefact IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_runs_kept_until", "runs")
    op.drop_constraint(op.f("ck_brands_ck_brands_log_days"), "brands")  # the upgrade's name got the prefix once more
    op.drop_column("brands", "log_days")
