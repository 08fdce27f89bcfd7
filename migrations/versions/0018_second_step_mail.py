"""A mail to whose second step an admin took off."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

RUN_KINDS = "'finished', 'failed', 'recovered', 'missed'"
ACCOUNT_KINDS = "'invitation', 'reset', 'disabled', 'new_target', 'webhook_off'"


def upgrade() -> None:
    _allow(f"{ACCOUNT_KINDS}, 'second_step_reset'")


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE kind = 'second_step_reset'")
    _allow(ACCOUNT_KINDS)


def _allow(about_accounts: str) -> None:
    op.drop_constraint(op.f("ck_outbox_kind"), "outbox")
    op.drop_constraint(op.f("ck_outbox_about"), "outbox")
    op.create_check_constraint(op.f("ck_outbox_kind"), "outbox", f"kind IN ({RUN_KINDS}, {about_accounts})")
    op.create_check_constraint(op.f("ck_outbox_about"), "outbox", f"(run_id IS NULL) = (kind IN ({about_accounts}))")
