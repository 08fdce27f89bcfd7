"""Webhooks and what they are told; indexes for what /metrics asks of the last hour; a mail for a webhook that went off."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

RUN_KINDS = "'finished', 'failed', 'recovered', 'missed'"
ACCOUNT_KINDS = "'invitation', 'reset', 'disabled', 'new_target'"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _make_webhooks()
    _make_messages()
    op.create_index("ix_runs_finished_at", "runs", ["finished_at"])
    op.create_index("ix_deliveries_finished_at", "deliveries", ["finished_at"])
    op.create_index("ix_outbox_ended_at", "outbox", ["ended_at"])
    _allow_mails_about_accounts(f"{ACCOUNT_KINDS}, 'webhook_off'")


def _make_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("secret_changed_at", MOMENT, server_default=sa.text("clock()"), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.text("clock()"), nullable=False),
        sa.Column("given_up", sa.Integer(), nullable=False),
        sa.Column("last_success_at", MOMENT, nullable=True),
        sa.Column("off_at", MOMENT, nullable=True),
        sa.Column("off_because", sa.Text(), nullable=True),
        sa.CheckConstraint("events <@ ARRAY['finished', 'failed']", name=op.f("ck_webhooks_events")),
        sa.CheckConstraint("off_because IS NULL OR off_at IS NOT NULL", name=op.f("ck_webhooks_off_has_moment")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_webhooks_brand_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["brand_id", "created_by_id"],
            ["users.brand_id", "users.id"],
            name=op.f("fk_webhooks_brand_id_created_by_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_webhooks_brand_id_id")),
    )


def _make_messages() -> None:
    op.create_table(
        "webhook_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("ms", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", MOMENT, server_default=sa.text("clock()"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, server_default=sa.text("clock()"), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint("kind IN ('finished', 'failed', 'test')", name=op.f("ck_webhook_messages_kind")),
        sa.CheckConstraint("(run_id IS NULL) = (kind = 'test')", name=op.f("ck_webhook_messages_about")),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'given_up', 'dropped')", name=op.f("ck_webhook_messages_state")
        ),
        sa.CheckConstraint(
            "state <> 'given_up' OR error IS NOT NULL", name=op.f("ck_webhook_messages_given_up_has_reason")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_webhook_messages_brand_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "webhook_id"],
            ["webhooks.brand_id", "webhooks.id"],
            name=op.f("fk_webhook_messages_brand_id_webhook_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "run_id"],
            ["runs.brand_id", "runs.id"],
            name=op.f("fk_webhook_messages_brand_id_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_messages")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_webhook_messages_brand_id_id")),
    )
    op.create_index(
        "ix_webhook_messages_due",
        "webhook_messages",
        ["next_try_at", "id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        op.f("ix_webhook_messages_brand_id_webhook_id_created_at"),
        "webhook_messages",
        ["brand_id", "webhook_id", "created_at"],
    )
    op.create_index(op.f("ix_webhook_messages_brand_id_run_id"), "webhook_messages", ["brand_id", "run_id"])
    op.create_index("ix_webhook_messages_ended_at", "webhook_messages", ["ended_at"])


def _allow_mails_about_accounts(kinds: str) -> None:
    op.drop_constraint(op.f("ck_outbox_kind"), "outbox")
    op.drop_constraint(op.f("ck_outbox_about"), "outbox")
    op.create_check_constraint(op.f("ck_outbox_kind"), "outbox", f"kind IN ({RUN_KINDS}, {kinds})")
    op.create_check_constraint(op.f("ck_outbox_about"), "outbox", f"(run_id IS NULL) = (kind IN ({kinds}))")


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE kind = 'webhook_off'")
    _allow_mails_about_accounts(ACCOUNT_KINDS)
    op.drop_index("ix_outbox_ended_at", "outbox")
    op.drop_index("ix_deliveries_finished_at", "deliveries")
    op.drop_index("ix_runs_finished_at", "runs")
    op.drop_table("webhook_messages")
    op.drop_table("webhooks")
