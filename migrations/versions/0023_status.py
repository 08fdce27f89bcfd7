"""Exports know the state of their newest run and the status that lists show; what the list walks along has both."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

STATUS = """
    CASE WHEN active THEN 'Active'
         WHEN NOT active THEN 'Inactive'
         WHEN latest_state IS NULL THEN 'Pending'
         WHEN next_run_at IS NOT NULL AND latest_state NOT IN ('queued', 'processing') THEN 'Pending'
         WHEN latest_state = 'queued' THEN 'Pending'
         WHEN latest_state = 'processing' THEN 'Processing'
         WHEN latest_state = 'success' THEN 'Finished'
         WHEN latest_state = 'failed' THEN 'Failed'
         WHEN latest_state = 'cancelled' THEN 'Cancelled'
         WHEN latest_state = 'missed' THEN 'Failed'
         WHEN latest_state = 'skipped' THEN 'Failed'
    END
"""
LISTED = "archived_at IS NULL AND deleted_at IS NULL"
ARCHIVED = "archived_at IS NOT NULL AND deleted_at IS NULL"
FAILED = f"latest_state = 'failed' AND {LISTED}"
FILTERED = ["owner_id", "model", "status", "latest_state", "several_runs"]
OWNED = ["owner_id", "created_at", "id", "model", "status", "latest_state", "several_runs", "archived_at"]
OF_MODEL = ["model", "created_at", "id", "owner_id", "status", "latest_state", "several_runs"]


def upgrade() -> None:
    # A run that ended between the fill and the triggers would be forgotten: runs first, as workers take them so far.
    op.execute("LOCK TABLE runs, exports IN ACCESS EXCLUSIVE MODE")
    for name in ("listed", "listed_by_name", "archived", "repeated", "owned"):
        op.drop_index(f"ix_exports_{name}", "exports")
    op.drop_index("ix_exports_brand_id_model_created_at", "exports")
    op.add_column("exports", sa.Column("latest_state", sa.Text()))
    op.add_column("exports", sa.Column("several_runs", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute(
        """
        UPDATE exports SET latest_state = runs.state, several_runs = EXISTS (
                   SELECT FROM runs r WHERE r.brand_id = exports.brand_id AND r.export_id = exports.id AND r.id <> runs.id)
          FROM runs WHERE runs.brand_id = exports.brand_id AND runs.id = exports.latest_run_id
        """
    )
    op.add_column("exports", sa.Column("status", sa.Text(), sa.Computed(STATUS, persisted=True), nullable=False))
    _keep()
    for key, suffix in (("created_at", ""), ("name", "_by_name")):
        _index(f"listed{suffix}", [key, "id", *FILTERED], LISTED)
        _index(f"of_status{suffix}", ["status", key, "id", "owner_id", "model"], LISTED)
        _index(f"failed{suffix}", [key, "id", "owner_id", "model"], FAILED)
        _index(f"archived{suffix}", [key, "id", *FILTERED], ARCHIVED)
    _index("of_model", OF_MODEL, LISTED)
    _index("owned", OWNED, "deleted_at IS NULL")
    _widen("export_id", "state")
    _widen("state", "export_id")


def _widen(first: str, last: str) -> None:
    """Runs of the list are found without a visit to the table."""
    op.drop_index(f"ix_runs_brand_id_{first}_created_at", "runs")
    columns = ["brand_id", first, "created_at", "id", last]
    op.create_index("_".join(["ix_runs", *columns]), "runs", columns)


def _narrow(first: str, last: str) -> None:
    op.drop_index(f"ix_runs_brand_id_{first}_created_at_id_{last}", "runs")
    op.create_index(f"ix_runs_brand_id_{first}_created_at", "runs", ["brand_id", first, "created_at"])


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(f"ix_exports_{name}", "exports", ["brand_id", *columns], postgresql_where=sa.text(where))


def _keep() -> None:
    """An export reads the state of the run that becomes its newest, and a run tells its export; both while they hold
    the export's row, so that whoever comes second sees what the first one did.
    """
    op.execute(
        """
        CREATE FUNCTION read_latest_state() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.latest_state := (SELECT state FROM runs WHERE brand_id = NEW.brand_id AND id = NEW.latest_run_id);
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER latest_state BEFORE INSERT OR UPDATE OF latest_run_id, latest_state ON exports
        FOR EACH ROW EXECUTE FUNCTION read_latest_state()
        """
    )
    op.execute(
        """
        CREATE FUNCTION tell_state() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM exports WHERE brand_id = NEW.brand_id AND id = NEW.export_id FOR NO KEY UPDATE;
            UPDATE exports SET latest_state = NEW.state
             WHERE brand_id = NEW.brand_id AND id = NEW.export_id AND latest_run_id = NEW.id
               AND latest_state IS DISTINCT FROM NEW.state;
            IF TG_OP = 'INSERT' THEN
                UPDATE exports SET several_runs = true
                 WHERE brand_id = NEW.brand_id AND id = NEW.export_id AND NOT several_runs
                   AND EXISTS (SELECT FROM runs WHERE brand_id = NEW.brand_id AND export_id = NEW.export_id AND id <> NEW.id);
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute("CREATE TRIGGER told_new AFTER INSERT ON runs FOR EACH ROW EXECUTE FUNCTION tell_state()")
    op.execute(
        """
        CREATE TRIGGER told AFTER UPDATE OF state ON runs
        FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION tell_state()
        """
    )


def downgrade() -> None:
    for name in ("told_new", "told"):
        op.execute(f"DROP TRIGGER {name} ON runs")
    op.execute("DROP TRIGGER latest_state ON exports")
    for name in ("tell_state", "read_latest_state"):
        op.execute(f"DROP FUNCTION {name}()")
    for name in ("listed", "of_status", "failed", "archived"):
        op.drop_index(f"ix_exports_{name}", "exports")
        op.drop_index(f"ix_exports_{name}_by_name", "exports")
    for name in ("of_model", "owned"):
        op.drop_index(f"ix_exports_{name}", "exports")
    _narrow("export_id", "state")
    _narrow("state", "export_id")
    op.drop_column("exports", "status")
    op.drop_column("exports", "several_runs")
    op.drop_column("exports", "latest_state")
    _index("listed", ["created_at", "id"], LISTED)
    _index("listed_by_name", ["name", "id"], LISTED)
    _index("archived", ["created_at", "id"], "archived_at IS NOT NULL")
    _index("repeated", ["created_at", "id"], "active IS NOT NULL")
    _index("owned", ["owner_id", "created_at"], "deleted_at IS NULL")
    op.create_index("ix_exports_brand_id_model_created_at", "exports", ["brand_id", "model", "created_at"])
