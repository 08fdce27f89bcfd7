"""A brand's switch for plain FTP, and mails that tell admins of new places that files may go to."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

RUN_KINDS = "'finished', 'failed', 'recovered', 'missed'"
BEFORE = "'invitation', 'reset', 'disabled'"
AFTER = f"{BEFORE}, 'new_target'"


def upgrade() -> None:
    op.add_column("brands", sa.Column("plain_ftp", sa.Boolean(), server_default="true", nullable=False))
    _kinds(AFTER)


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE kind = 'new_target'")
    _kinds(BEFORE)
    op.drop_column("brands", "plain_ftp")


def _kinds(without_run: str) -> None:
    op.drop_constraint(op.f("ck_outbox_about"), "outbox")
    op.drop_constraint(op.f("ck_outbox_kind"), "outbox")
    op.create_check_constraint(op.f("ck_outbox_kind"), "outbox", f"kind IN ({RUN_KINDS}, {without_run})")
    op.create_check_constraint(op.f("ck_outbox_about"), "outbox", f"(run_id IS NULL) = (kind IN ({without_run}))")
