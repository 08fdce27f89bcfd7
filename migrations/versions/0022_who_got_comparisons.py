"""The index of who got which file knows downloads of comparisons as well."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index("action IN ('run.downloaded', 'compare.downloaded')")


def downgrade() -> None:
    _index("action = 'run.downloaded'")


def _index(which: str) -> None:
    op.drop_index("ix_audit_downloads", "audit")
    op.create_index("ix_audit_downloads", "audit", ["brand_id", "object_id"], postgresql_where=sa.text(which))
