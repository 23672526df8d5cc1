"""Puts the DuckDB extensions that the duckdb-extension-* wheels carry where DuckDB looks for them: $HOME/.duckdb."""

import pathlib
import sysconfig

import duckdb

connection = duckdb.connect(config={"autoinstall_known_extensions": False})
packages = pathlib.Path(sysconfig.get_path("purelib"))
for path in sorted(packages.glob("duckdb_extension_*/extensions/*/*.duckdb_extension")):
    connection.execute(f"INSTALL '{path}'")
    connection.execute(f"LOAD {path.stem}")
