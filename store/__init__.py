"""The database: the only room that speaks SQL.

`database` opens SQLite or PostgreSQL, `writer` gathers writes into group commits, `migrate` keeps the schema of
`schema` up to date. One module per subject (`jobs`, `attempts`, `book`, `inbox`, `identity`, …) holds functions of a
connection: inside a unit of the writer they write, inside `Database.read()` they see one snapshot. `blobs` keeps
payloads and results by content. What goes wrong is named in `errors`.
"""
