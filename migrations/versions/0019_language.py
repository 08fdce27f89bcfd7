"""The language that a person reads pages in; none if nothing was chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("language", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_users_language"), "users", "language IN ('en', 'de')")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_users_language"), "users")
    op.drop_column("users", "language")
