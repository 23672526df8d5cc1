"""Reads all streams with PyAirbyte into its DuckDB cache, and prints what came as JSON.

usage: pyairbyte_read.py EXECUTABLE CONFIG CACHE
"""

import json
import os
import sys
from pathlib import Path

os.environ["AIRBYTE_OFFLINE_MODE"] = "1"
os.environ["DO_NOT_TRACK"] = "1"

import airbyte as ab  # noqa: E402
from airbyte.caches import DuckDBCache  # noqa: E402

executable, config, cache_path = sys.argv[1:]
source = ab.get_source("source-cleargrid", config=json.loads(Path(config).read_text()), local_executable=executable)
source.check()
source.select_all_streams()
streams = source.get_available_streams()
cache = DuckDBCache(db_path=cache_path, schema_name="main")
result = source.read(cache=cache)
counts = {name: len(result[name]) for name in streams}
print("RESULT " + json.dumps({"read": result.processed_records, "counts": counts}))
