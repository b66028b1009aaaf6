"""Run by Alembic: one transaction, one lock, so that two jobs never migrate at once."""

from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True)
with context.begin_transaction():
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('assay.migrate'))"))
    context.run_migrations()
