"""What pages count, from indexes alone: exports of a person and by plain FTP, runs that have a file."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f("ix_exports_brand_id_owner_id_created_at"), "exports")
    there = sa.text("deleted_at IS NULL")
    op.create_index("ix_exports_owned", "exports", ["brand_id", "owner_id", "created_at"], postgresql_where=there)
    plain = sa.text("target = 'ftp' AND archived_at IS NULL AND deleted_at IS NULL")
    op.create_index("ix_exports_plain_ftp", "exports", ["brand_id"], postgresql_where=plain)
    kept = sa.text("artefact IS NOT NULL")
    op.create_index("ix_runs_with_file", "runs", ["brand_id", "export_id"], postgresql_where=kept)


def downgrade() -> None:
    op.drop_index("ix_runs_with_file", "runs")
    op.drop_index("ix_exports_plain_ftp", "exports")
    op.drop_index("ix_exports_owned", "exports")
    op.create_index(op.f("ix_exports_brand_id_owner_id_created_at"), "exports", ["brand_id", "owner_id", "created_at"])
