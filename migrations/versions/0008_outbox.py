"""Mails: the outbox, the domains a brand may write to, and that every export of before tells its owner."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OWNER = """{"success": ["owner"], "failure": ["owner"]}"""
NOBODY = """{"success": [], "failure": []}"""
EVERY_OWNER = """
    UPDATE export_versions SET definition = jsonb_set(definition, '{notify}', CAST(:owner AS jsonb))
    WHERE coalesce(definition->'notify', CAST(:nobody AS jsonb)) = CAST(:nobody AS jsonb)
"""


def upgrade() -> None:
    op.add_column(
        "brands",
        sa.Column("mail_domains", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('finished', 'failed', 'recovered', 'missed')", name=op.f("ck_outbox_kind")),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'caught', 'given_up', 'dropped')", name=op.f("ck_outbox_state")
        ),
        sa.CheckConstraint(
            "state <> 'given_up' OR error IS NOT NULL", name=op.f("ck_outbox_given_up_has_reason")
        ),
        sa.CheckConstraint("(state = 'caught') = (text IS NOT NULL)", name=op.f("ck_outbox_caught_can_be_read")),
        sa.ForeignKeyConstraint(
            ["brand_id", "run_id"], ["runs.brand_id", "runs.id"], name=op.f("fk_outbox_brand_id_run_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "user_id"], ["users.brand_id", "users.id"], name=op.f("fk_outbox_brand_id_user_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_outbox_brand_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_outbox_brand_id_id")),
    )  # fmt: skip
    op.create_index("ix_outbox_due", "outbox", ["next_try_at", "id"], postgresql_where=sa.text("state = 'waiting'"))
    op.create_index(op.f("ix_outbox_brand_id_run_id"), "outbox", ["brand_id", "run_id"])
    op.create_index(
        "ix_outbox_caught", "outbox", ["brand_id", "created_at"], postgresql_where=sa.text("state = 'caught'")
    )
    # Nobody could choose before: what stands there is the default of that time.
    op.execute("ALTER TABLE export_versions DISABLE TRIGGER immutable")
    op.execute(sa.text(EVERY_OWNER).bindparams(owner=OWNER, nobody=NOBODY))
    op.execute("ALTER TABLE export_versions ENABLE TRIGGER immutable")


def downgrade() -> None:
    op.drop_table("outbox")
    op.drop_column("brands", "mail_domains")
