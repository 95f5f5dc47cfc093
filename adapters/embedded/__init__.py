"""The embedded mode: SQLite files of one process. `Database` is a file, stores and feeds are made on it."""
