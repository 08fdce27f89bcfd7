"""Deliveries of runs, with their journal."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("connection", sa.Uuid(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("offered_key", sa.Text(), nullable=True),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("renaming_attempt", sa.Integer(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("requested_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_advice", sa.Text(), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'uploading', 'uploaded', 'renaming', 'delivered', 'failed')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.CheckConstraint("state <> 'failed' OR error_code IS NOT NULL", name=op.f("ck_deliveries_failed_has_reason")),
        sa.ForeignKeyConstraint(
            ["brand_id", "run_id"],
            ["runs.brand_id", "runs.id"],
            name=op.f("fk_deliveries_brand_id_run_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "requested_by_id"],
            ["users.brand_id", "users.id"],
            name=op.f("fk_deliveries_brand_id_requested_by_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_deliveries_brand_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_deliveries_brand_id_id")),
        sa.UniqueConstraint("run_id", "number", name=op.f("uq_deliveries_run_id_number")),
    )
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["not_before"],
        postgresql_where=sa.text("number > 1 AND state NOT IN ('delivered', 'failed')"),
    )


def downgrade() -> None:
    op.drop_table("deliveries")
