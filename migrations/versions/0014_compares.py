"""Comparisons of the files of two runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "compares",
        sa.Column("earlier_id", sa.Uuid(), nullable=False),
        sa.Column("later_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("doing", sa.Text(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("added", "removed", "changed", "unchanged")),
        sa.Column("same_bytes", sa.Boolean(), nullable=False),
        sa.Column("key", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("artefact", sa.Text(), nullable=True),
        sa.Column("archive_bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True),
        *(sa.Column(f"error_{name}", sa.Text(), nullable=True) for name in ("code", "message", "advice", "detail")),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        *_constraints(),
    )
    op.create_index(
        "uq_compares_processing", "compares", ["brand_id"], unique=True,
        postgresql_where=sa.text("state = 'processing'"),
    )  # fmt: skip
    op.create_index(
        "ix_compares_waiting", "compares", ["created_at", "id"], postgresql_where=sa.text("state = 'queued'")
    )
    op.create_index(
        "ix_compares_kept_until", "compares", ["kept_until", "id"], postgresql_where=sa.text("artefact IS NOT NULL")
    )
    op.create_index(op.f("ix_compares_brand_id_later_id"), "compares", ["brand_id", "later_id"])


def _constraints() -> list[sa.Constraint]:
    states = "'queued', 'processing', 'done', 'failed', 'cancelled'"
    refers = [("earlier_id", "runs", "CASCADE"), ("later_id", "runs", "CASCADE"), ("asked_by_id", "users", None)]
    return [
        *(
            sa.ForeignKeyConstraint(
                ["brand_id", column],
                [f"{table}.brand_id", f"{table}.id"],
                name=op.f(f"fk_compares_brand_id_{column}"),
                ondelete=deleted,
            )
            for column, table, deleted in refers
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_compares_brand_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compares")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_compares_brand_id_id")),
        sa.UniqueConstraint(
            "brand_id", "earlier_id", "later_id", name=op.f("uq_compares_brand_id_earlier_id_later_id")
        ),
        sa.CheckConstraint(f"state IN ({states})", name=op.f("ck_compares_state")),
        sa.CheckConstraint("state <> 'failed' OR error_code IS NOT NULL", name=op.f("ck_compares_failed_has_reason")),
        sa.CheckConstraint("state <> 'done' OR unchanged IS NOT NULL", name=op.f("ck_compares_done_has_counts")),
        sa.CheckConstraint(
            "state <> 'processing' OR lease_until IS NOT NULL", name=op.f("ck_compares_processing_has_lease")
        ),
    ]


def downgrade() -> None:
    op.drop_table("compares")
