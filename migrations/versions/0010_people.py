"""People and audit: places in the chain of the audit log, how long it is kept, mails about accounts, invitations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

RUN_KINDS = "'finished', 'failed', 'recovered', 'missed'"
ACCOUNT_KINDS = "'invitation', 'reset', 'disabled'"


def upgrade() -> None:
    op.add_column("audit", sa.Column("place", sa.BigInteger(), nullable=True))
    op.create_unique_constraint(op.f("uq_audit_brand_id_place"), "audit", ["brand_id", "place"])
    op.create_index("ix_audit_unsealed", "audit", ["brand_id", "number"], postgresql_where=sa.text("seal IS NULL"))
    op.create_check_constraint(op.f("ck_audit_sealed_in_a_place"), "audit", "(place IS NULL) = (seal IS NULL)")
    op.add_column("brands", sa.Column("audit_days", sa.Integer(), server_default="730", nullable=False))
    op.create_check_constraint(op.f("ck_brands_audit_days"), "brands", "audit_days >= 365")
    op.add_column("users", sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True))
    _change_triggers()
    _change_outbox()


def _change_triggers() -> None:
    """Place and seal are filled in once; what is younger than the shortest retention is not deleted by anybody."""
    op.execute("DROP TRIGGER append_only ON audit")
    op.execute("DROP TRIGGER kept ON audit")
    op.execute(
        """
        CREATE TRIGGER append_only BEFORE UPDATE ON audit FOR EACH ROW
        WHEN ((to_jsonb(OLD) - '{seal,place}'::text[]) IS DISTINCT FROM (to_jsonb(NEW) - '{seal,place}'::text[])
              OR OLD.seal IS NOT NULL)
        EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER kept BEFORE DELETE ON audit FOR EACH ROW
        WHEN (OLD.seal IS NULL OR OLD.at > clock() - interval '365 days') EXECUTE FUNCTION refuse_change()
        """
    )


def _change_outbox() -> None:
    op.alter_column("outbox", "run_id", nullable=True)
    op.add_column(
        "outbox", sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False)
    )
    op.drop_constraint(op.f("ck_outbox_kind"), "outbox")
    op.create_check_constraint(op.f("ck_outbox_kind"), "outbox", f"kind IN ({RUN_KINDS}, {ACCOUNT_KINDS})")
    op.create_check_constraint(op.f("ck_outbox_about"), "outbox", f"(run_id IS NULL) = (kind IN ({ACCOUNT_KINDS}))")


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE run_id IS NULL")
    op.drop_constraint(op.f("ck_outbox_about"), "outbox")
    op.drop_constraint(op.f("ck_outbox_kind"), "outbox")
    op.create_check_constraint(op.f("ck_outbox_kind"), "outbox", f"kind IN ({RUN_KINDS})")
    op.drop_column("outbox", "facts")
    op.alter_column("outbox", "run_id", nullable=False)
    op.execute("DROP TRIGGER append_only ON audit")
    op.execute("DROP TRIGGER kept ON audit")
    op.drop_column("users", "invited_at")
    op.drop_constraint(op.f("ck_brands_audit_days"), "brands")
    op.drop_column("brands", "audit_days")
    op.drop_constraint(op.f("ck_audit_sealed_in_a_place"), "audit")
    op.drop_index("ix_audit_unsealed", "audit")
    op.drop_constraint(op.f("uq_audit_brand_id_place"), "audit")
    op.drop_column("audit", "place")
    op.execute(
        """
        CREATE TRIGGER append_only BEFORE UPDATE ON audit FOR EACH ROW
        WHEN ((to_jsonb(OLD) - 'seal') IS DISTINCT FROM (to_jsonb(NEW) - 'seal') OR OLD.seal IS NOT NULL)
        EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute("CREATE TRIGGER kept BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change()")
