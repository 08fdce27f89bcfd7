"""Search: every name that an export and its files have had, by their trigrams; and what the list walks along."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

LISTED = "archived_at IS NULL AND deleted_at IS NULL"


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION trigrams(name text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
            SELECT array_agg(DISTINCT substr(low, place, 3))
              FROM lower(name) low, generate_series(1, greatest(length(low) - 2, 1)) place
        $$
        """
    )
    op.create_table(
        "export_names",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(sa.Text()), sa.Computed("trigrams(name)", persisted=True)),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_export_names_brand_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "export_id"],
            ["exports.brand_id", "exports.id"],
            name=op.f("fk_export_names_brand_id_export_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_names")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_export_names_brand_id_id")),
    )
    _fill()
    op.create_index("ix_export_names_brand_id_export_id", "export_names", ["brand_id", "export_id"])
    op.create_index("ix_export_names_trigrams", "export_names", ["trigrams"], postgresql_using="gin")
    op.create_index(
        "ix_export_names_beginning", "export_names", ["brand_id", sa.text("lower(name) text_pattern_ops"), "export_id"]
    )
    _change_indexes()


def _fill() -> None:
    """The names of all versions and their files, and of what was delivered. Names that systems keep for devices, and
    those cut to 200 bytes, are told as they were typed: found all the same by all but their end.
    """
    op.execute(
        r"""
        INSERT INTO export_names (id, brand_id, export_id, name)
        SELECT gen_random_uuid(), brand_id, export_id, name FROM (
            SELECT DISTINCT brand_id, export_id,
                   unnest(CASE WHEN starts_with(file, name) THEN ARRAY[file] ELSE ARRAY[name, file] END) AS name
              FROM (SELECT brand_id, export_id, definition->>'name' AS name,
                           btrim(regexp_replace(definition->>'name', '[/\\:*?"<>|]', '_', 'g'), '. ')
                           || '.' || coalesce(definition->'file'->>'extension', 'csv') AS file
                      FROM export_versions) versions
            UNION
            SELECT d.brand_id, r.export_id, substring(d.path from '[^/]+$')
              FROM deliveries d JOIN runs r ON r.brand_id = d.brand_id AND r.id = d.run_id
             WHERE d.state = 'delivered' AND d.path ~ '[^/]$'
        ) told
        """
    )


def _change_indexes() -> None:
    """The list in both orders without what is archived, by owner, by model; runs of a brand in time, and by state."""
    op.drop_index("ix_exports_brand_id_created_at", "exports")
    for name, columns in (("listed", ["created_at", "id"]), ("listed_by_name", ["name", "id"])):
        op.create_index(f"ix_exports_{name}", "exports", ["brand_id", *columns], postgresql_where=sa.text(LISTED))
    for column in ("owner_id", "model"):
        op.create_index(f"ix_exports_brand_id_{column}_created_at", "exports", ["brand_id", column, "created_at"])
    for name, condition in (("repeated", "active IS NOT NULL"), ("archived", "archived_at IS NOT NULL")):
        op.create_index(
            f"ix_exports_{name}", "exports", ["brand_id", "created_at", "id"], postgresql_where=sa.text(condition)
        )
    op.create_index("ix_drafts_brand_id_owner_id_updated_at", "drafts", ["brand_id", "owner_id", "updated_at"])
    op.create_index("ix_runs_brand_id_created_at_id", "runs", ["brand_id", "created_at", "id"])
    op.create_index("ix_runs_brand_id_state_created_at", "runs", ["brand_id", "state", "created_at"])


def downgrade() -> None:
    for name in ("brand_id_state_created_at", "brand_id_created_at_id"):
        op.drop_index(f"ix_runs_{name}", "runs")
    op.drop_index("ix_drafts_brand_id_owner_id_updated_at", "drafts")
    for name in ("archived", "repeated", "brand_id_model_created_at", "brand_id_owner_id_created_at"):
        op.drop_index(f"ix_exports_{name}", "exports")
    for name in ("listed_by_name", "listed"):
        op.drop_index(f"ix_exports_{name}", "exports")
    op.create_index("ix_exports_brand_id_created_at", "exports", ["brand_id", "created_at"])
    op.drop_table("export_names")
    op.execute("DROP FUNCTION trigrams(text)")
