"""Connections are made, tested and trusted: who accepted which key, what was tested, which exports use one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("credential_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by_id", sa.Uuid(), nullable=True),
        sa.Column("offered_key", sa.Text(), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("connections", column)
    op.create_foreign_key(
        op.f("fk_connections_brand_id_accepted_by_id"),
        "connections",
        "users",
        ["brand_id", "accepted_by_id"],
        ["brand_id", "id"],
    )
    op.create_check_constraint(
        op.f("ck_connections_credential_kind"), "connections", "credential_kind IN ('password', 'key')"
    )
    op.add_column("exports", sa.Column("connection_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_exports_brand_id_connection_id"),
        "exports",
        "connections",
        ["brand_id", "connection_id"],
        ["brand_id", "id"],
    )
    op.create_index(
        "ix_exports_connection_id", "exports", ["connection_id"], postgresql_where=sa.text("connection_id IS NOT NULL")
    )
    _create_tests()


def _create_tests() -> None:
    op.create_table(
        "connection_tests",
        sa.Column("server", sa.Uuid(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("about", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=True),
        sa.Column("phases", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("offered_key", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "asked_by_id"],
            ["users.brand_id", "users.id"],
            name=op.f("fk_connection_tests_brand_id_asked_by_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_connection_tests_brand_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_tests")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_connection_tests_brand_id_id")),
    )
    op.create_index(
        op.f("ix_connection_tests_brand_id_server_created_at"), "connection_tests", ["brand_id", "server", "created_at"]
    )
    op.create_index(
        op.f("ix_connection_tests_brand_id_asked_by_id_created_at"),
        "connection_tests",
        ["brand_id", "asked_by_id", "created_at"],
    )
    op.create_index(
        "ix_connection_tests_unfinished",
        "connection_tests",
        ["created_at"],
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("connection_tests")
    op.drop_index("ix_exports_connection_id", "exports")
    op.drop_constraint(op.f("fk_exports_brand_id_connection_id"), "exports")
    op.drop_column("exports", "connection_id")
    op.drop_constraint(op.f("ck_connections_credential_kind"), "connections")
    op.drop_constraint(op.f("fk_connections_brand_id_accepted_by_id"), "connections")
    for name in ("changed_at", "offered_at", "offered_key", "accepted_by_id", "accepted_at", "credential_changed_at",
                 "public_key"):  # fmt: skip
        op.drop_column("connections", name)
