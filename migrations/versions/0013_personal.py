"""Personal data and accounts: the brand's key for hashes, a second step at login, an index of who got which file."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("brands", sa.Column("mask_key", sa.LargeBinary(), nullable=True))
    op.add_column("users", sa.Column("totp_secret", sa.LargeBinary(), nullable=True))
    op.add_column("users", sa.Column("totp_step", sa.BigInteger(), nullable=True))
    op.add_column(
        "users",
        sa.Column("recovery_hashes", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.create_index(
        "ix_audit_downloads",
        "audit",
        ["brand_id", "object_id"],
        postgresql_where=sa.text("action = 'run.downloaded'"),
    )


def downgrade() -> None:
    op.drop_index("ix_audit_downloads", "audit")
    op.drop_column("users", "recovery_hashes")
    op.drop_column("users", "totp_step")
    op.drop_column("users", "totp_secret")
    op.drop_column("brands", "mask_key")
