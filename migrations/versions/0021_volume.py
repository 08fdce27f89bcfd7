"""Admins are told when a person takes out much personal data: from how much on, when last, and an index to count by."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

RUN_KINDS = "'finished', 'failed', 'recovered', 'missed'"
ACCOUNT_KINDS = "'invitation', 'reset', 'disabled', 'new_target', 'webhook_off', 'second_step_reset'"
TAKEN = "action IN ('run.downloaded', 'compare.downloaded', 'delivery.finished') AND facts ->> 'personal' = 'true'"


def upgrade() -> None:
    op.add_column("brands", sa.Column("alert_rows", sa.Integer(), server_default="1000000", nullable=True))
    op.add_column("users", sa.Column("volume_told_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_audit_taken", "audit", ["brand_id", sa.text("coalesce(facts ->> 'for', actor)"), "at"],
        postgresql_where=sa.text(TAKEN),
    )  # fmt: skip
    _allow(f"{ACCOUNT_KINDS}, 'volume'")


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE kind = 'volume'")
    _allow(ACCOUNT_KINDS)
    op.drop_index("ix_audit_taken", "audit")
    op.drop_column("users", "volume_told_at")
    op.drop_column("brands", "alert_rows")


def _allow(about_accounts: str) -> None:
    op.drop_constraint(op.f("ck_outbox_kind"), "outbox")
    op.drop_constraint(op.f("ck_outbox_about"), "outbox")
    op.create_check_constraint(op.f("ck_outbox_kind"), "outbox", f"kind IN ({RUN_KINDS}, {about_accounts})")
    op.create_check_constraint(op.f("ck_outbox_about"), "outbox", f"(run_id IS NULL) = (kind IN ({about_accounts}))")
