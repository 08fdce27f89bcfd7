"""API tokens, and the requests that are to be carried out once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("ending", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by_id", sa.Uuid(), nullable=True),
        *_of_brand("api_tokens"),
        _to_user("api_tokens", "owner_id"),
        _to_user("api_tokens", "revoked_by_id"),
        sa.CheckConstraint("cardinality(scopes) > 0", name=op.f("ck_api_tokens_scopes")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_tokens_hash")),
    )
    op.create_index(op.f("ix_api_tokens_brand_id_owner_id"), "api_tokens", ["brand_id", "owner_id"])
    op.create_table(
        "api_requests",
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("print", sa.LargeBinary(), nullable=False),
        sa.Column("made_with", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock() + interval '24 hours'"),
            nullable=False,
        ),
        *_of_brand("api_requests"),
        sa.ForeignKeyConstraint(
            ["brand_id", "token_id"],
            ["api_tokens.brand_id", "api_tokens.id"],
            name=op.f("fk_api_requests_brand_id_token_id"),
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("token_id", "key", name=op.f("uq_api_requests_token_id_key")),
    )
    op.create_index(op.f("ix_api_requests_expires_at"), "api_requests", ["expires_at"])


def _of_brand(table: str) -> tuple[sa.Column | sa.Constraint, ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f(f"fk_{table}_brand_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("brand_id", "id", name=op.f(f"uq_{table}_brand_id_id")),
    )


def _to_user(table: str, column: str) -> sa.Constraint:
    name = op.f(f"fk_{table}_brand_id_{column}")
    return sa.ForeignKeyConstraint(["brand_id", column], ["users.brand_id", "users.id"], name=name)


def downgrade() -> None:
    op.drop_table("api_requests")
    op.drop_table("api_tokens")
