"""Starts local-bigquery without network, and with MERGE inside transactions. Arguments go to local-bigquery.

1. DuckDB's wheel carries icu, but connect(config={'TimeZone': ...}) asks for it before it is loaded and then tries to download
   it: the time zone is set after connecting instead.
2. MERGE tries BEGIN and expects an error inside a transaction, but that error aborts DuckDB's transaction: it is raised without
   asking DuckDB.
"""

import time

import duckdb

_connect = duckdb.connect


def connect(*args, config=None, **kwargs):
    config = dict(config or {})
    zone = config.pop("TimeZone", None)
    # Its threads spend more on each other than on tables of a few rows.
    config["threads"] = 1
    connection = _connect(*args, config=config, **kwargs)
    if zone:
        connection.execute(f"SET GLOBAL TimeZone = '{zone}'")
    return connection


duckdb.connect = connect

import quicker  # noqa: E402, F401
from local_bigquery.cli import main  # noqa: E402
from local_bigquery.jobs import merge  # noqa: E402

_run = merge.run


class _Cursor:
    def __init__(self, cursor):
        self._cursor = cursor

    def execute(self, sql, *args):
        if sql == "BEGIN":
            # now() is the start of the transaction; outside of one, of the statement.
            first = self._cursor.execute("SELECT epoch_us(now())").fetchone()
            time.sleep(0.002)
            if self._cursor.execute("SELECT epoch_us(now())").fetchone() == first:
                raise duckdb.TransactionException("already in a transaction")
        return self._cursor.execute(sql, *args)

    def __getattr__(self, name):
        return getattr(self._cursor, name)


merge.run = lambda cursor, tree, context: _run(_Cursor(cursor), tree, context)

main()
