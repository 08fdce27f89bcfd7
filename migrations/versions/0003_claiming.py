"""What claiming needs: each brand's next run, by hand and by schedule; and that nothing waits which may not run."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WAITING = ["brand_id", "not_before", "created_at", "id"]


def upgrade() -> None:
    op.create_index(
        "ix_runs_by_hand", "runs", WAITING, postgresql_where=sa.text("state = 'queued' AND kind <> 'schedule'")
    )
    op.create_index(
        "ix_runs_by_schedule", "runs", WAITING, postgresql_where=sa.text("state = 'queued' AND kind = 'schedule'")
    )
    op.drop_index("ix_runs_queued", "runs")
    op.execute("UPDATE exports SET next_run_at = NULL WHERE active IS FALSE OR archived_at IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_exports_waits_only_if_it_may_run"),
        "exports",
        "next_run_at IS NULL OR (active IS NOT FALSE AND archived_at IS NULL)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_exports_waits_only_if_it_may_run"), "exports")
    op.create_index(
        "ix_runs_queued", "runs", ["not_before", "created_at"], postgresql_where=sa.text("state = 'queued'")
    )
    op.drop_index("ix_runs_by_schedule", "runs")
    op.drop_index("ix_runs_by_hand", "runs")
