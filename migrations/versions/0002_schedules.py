"""What the clock needs: the words of a schedule, who set an export inactive, the smallest distance between runs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("brands", sa.Column("minimum_minutes", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("exports", sa.Column("schedule_words", sa.Text(), nullable=False, server_default=""))
    op.add_column("exports", sa.Column("inactive_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("exports", sa.Column("inactive_by_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_exports_brand_id_inactive_by_id", "exports", "users", ["brand_id", "inactive_by_id"], ["brand_id", "id"]
    )
    op.create_index(
        "ix_exports_next_run_at", "exports", ["next_run_at"], postgresql_where=sa.text("next_run_at IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_exports_next_run_at", "exports")
    op.drop_constraint("fk_exports_brand_id_inactive_by_id", "exports")
    op.drop_column("exports", "inactive_by_id")
    op.drop_column("exports", "inactive_since")
    op.drop_column("exports", "schedule_words")
    op.drop_column("brands", "minimum_minutes")
