"""The Alembic migrations of the schema, packaged with the service and run by `store.migrate`."""
