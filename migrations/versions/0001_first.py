"""Brands, users, exports with their versions, runs, connections, audit, sessions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # One answer to what time it is; the tests' database has one that reads a table (RELIABILITY P11).
    op.execute("CREATE FUNCTION clock() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now()'")
    op.create_table(
        "brands",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("modules", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brands")),
        sa.UniqueConstraint("name", name=op.f("uq_brands_name")),
        sa.UniqueConstraint("source_key", name=op.f("uq_brands_source_key")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_table(
        "custom_fields",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("choices", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("identifier", sa.Boolean(), nullable=False),
        sa.Column("computed", sa.Boolean(), nullable=False),
        sa.Column("mandatory", sa.Boolean(), nullable=False),
        sa.Column("personal", sa.Boolean(), nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("path", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_custom_fields_brand_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_fields")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_custom_fields_brand_id_id")),
        sa.UniqueConstraint("brand_id", "model", "field", name=op.f("uq_custom_fields_brand_id_model_field")),
    )
    op.create_table(
        "users",
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("export_pii", sa.Boolean(), nullable=False),
        sa.Column("use_new_target", sa.Boolean(), nullable=False),
        sa.Column("see_audit", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'exporter', 'manager', 'admin')", name=op.f("ck_users_role")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_users_brand_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_users_brand_id_id")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("token", name=op.f("uq_users_token")),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=True),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "actor_id"], ["users.brand_id", "users.id"], name=op.f("fk_audit_brand_id_actor_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_audit_brand_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_audit_brand_id_id")),
        sa.UniqueConstraint("number", name=op.f("uq_audit_number")),
    )
    op.create_index(op.f("ix_audit_brand_id_number"), "audit", ["brand_id", "number"], unique=False)
    op.create_table(
        "connections",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=True),
        sa.Column("credential_kind", sa.Text(), nullable=False),
        sa.Column("accepted_key", sa.Text(), nullable=True),
        sa.Column("shared_with_exporters", sa.Boolean(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("type IN ('ftp', 'ftps', 'sftp')", name=op.f("ck_connections_type")),
        sa.ForeignKeyConstraint(
            ["brand_id", "created_by_id"],
            ["users.brand_id", "users.id"],
            name=op.f("fk_connections_brand_id_created_by_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_connections_brand_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_connections_brand_id_id")),
        sa.UniqueConstraint("brand_id", "name", name=op.f("uq_connections_brand_id_name")),
    )
    op.create_table(
        "drafts",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "owner_id"],
            ["users.brand_id", "users.id"],
            name=op.f("fk_drafts_brand_id_owner_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_drafts_brand_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_drafts_brand_id_id")),
    )
    op.create_table(
        "exports",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("latest_run_id", sa.Uuid(), nullable=True),
        sa.Column("create_token", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(schedule = 'repeated') = (active IS NOT NULL)", name=op.f("ck_exports_active")),
        sa.CheckConstraint("schedule IN ('now', 'on_date', 'repeated')", name=op.f("ck_exports_schedule")),
        sa.ForeignKeyConstraint(
            ["brand_id", "created_by_id"],
            ["users.brand_id", "users.id"],
            name=op.f("fk_exports_brand_id_created_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "owner_id"], ["users.brand_id", "users.id"], name=op.f("fk_exports_brand_id_owner_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_exports_brand_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
        sa.UniqueConstraint("brand_id", "create_token", name=op.f("uq_exports_brand_id_create_token")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_exports_brand_id_id")),
    )
    op.create_index(op.f("ix_exports_brand_id_created_at"), "exports", ["brand_id", "created_at"], unique=False)
    op.create_index(op.f("ix_exports_brand_id_name"), "exports", ["brand_id", "name"], unique=False)
    op.create_index(op.f("ix_exports_brand_id_latest_run_id"), "exports", ["brand_id", "latest_run_id"], unique=False)
    op.create_table(
        "export_versions",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "author_id"],
            ["users.brand_id", "users.id"],
            name=op.f("fk_export_versions_brand_id_author_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "export_id"],
            ["exports.brand_id", "exports.id"],
            name=op.f("fk_export_versions_brand_id_export_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_export_versions_brand_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_versions")),
        sa.UniqueConstraint(
            "brand_id", "export_id", "number", name=op.f("uq_export_versions_brand_id_export_id_number")
        ),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_export_versions_brand_id_id")),
    )
    op.create_table(
        "runs",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=False),
        sa.Column("base_moment", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_by_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("expected_rows", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("published_attempt", sa.Integer(), nullable=True),
        sa.Column("artefact", sa.Text(), nullable=True),
        sa.Column("archive_bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_advice", sa.Text(), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('schedule', 'manual', 'again')", name=op.f("ck_runs_kind")),
        sa.CheckConstraint("state <> 'failed' OR error_code IS NOT NULL", name=op.f("ck_runs_failed_has_reason")),
        sa.CheckConstraint(
            "state <> 'processing' OR lease_until IS NOT NULL", name=op.f("ck_runs_processing_has_lease")
        ),
        sa.CheckConstraint(
            "state <> 'success' OR published_attempt IS NOT NULL", name=op.f("ck_runs_success_is_published")
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'processing', 'success', 'failed', 'cancelled', 'missed', 'skipped')",
            name=op.f("ck_runs_state"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "export_id", "version"],
            ["export_versions.brand_id", "export_versions.export_id", "export_versions.number"],
            name="fk_runs_version",
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "export_id"],
            ["exports.brand_id", "exports.id"],
            name=op.f("fk_runs_brand_id_export_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "requested_by_id"],
            ["users.brand_id", "users.id"],
            name=op.f("fk_runs_brand_id_requested_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "cancel_requested_by_id"],
            ["users.brand_id", "users.id"],
            name=op.f("fk_runs_brand_id_cancel_requested_by_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_runs_brand_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_runs_brand_id_id")),
    )
    op.create_index(
        op.f("ix_runs_brand_id_export_id_created_at"), "runs", ["brand_id", "export_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_runs_processing", "runs", ["lease_until"], unique=False, postgresql_where=sa.text("state = 'processing'")
    )
    op.create_index(
        "ix_runs_queued",
        "runs",
        ["not_before", "created_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "uq_runs_export_id_scheduled_for",
        "runs",
        ["export_id", "scheduled_for"],
        unique=True,
        postgresql_where=sa.text("kind = 'schedule'"),
    )
    op.create_table(
        "run_events",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "run_id"],
            ["runs.brand_id", "runs.id"],
            name=op.f("fk_run_events_brand_id_run_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_run_events_brand_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_events")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_run_events_brand_id_id")),
    )
    op.create_index(
        op.f("ix_run_events_brand_id_run_id_number"), "run_events", ["brand_id", "run_id", "number"], unique=False
    )
    op.create_foreign_key(
        "fk_drafts_brand_id_export_id", "drafts", "exports", ["brand_id", "export_id"], ["brand_id", "id"]
    )
    # Exports and runs point at each other: this one comes when both are there.
    op.create_foreign_key(
        "fk_exports_brand_id_latest_run_id",
        "exports",
        "runs",
        ["brand_id", "latest_run_id"],
        ["brand_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '% rows are never changed', TG_TABLE_NAME; END $$
        """
    )
    op.execute(
        "CREATE TRIGGER immutable BEFORE UPDATE ON export_versions FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    # Only the seal of the hash chain is filled in later; retention removes rows with triggers off.
    op.execute(
        """
        CREATE TRIGGER append_only BEFORE UPDATE ON audit FOR EACH ROW
        WHEN ((to_jsonb(OLD) - 'seal') IS DISTINCT FROM (to_jsonb(NEW) - 'seal') OR OLD.seal IS NOT NULL)
        EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute("CREATE TRIGGER kept BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    raise NotImplementedError("the first migration has nothing before it: drop the database instead")
