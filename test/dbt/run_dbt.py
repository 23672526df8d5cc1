"""Runs dbt commands (a JSON list of argument lists on stdin) and prints what became of each node; nothing but this machine is reached."""

import json
import os
import socket
import sys

os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "False"
strangers = []
find = socket.getaddrinfo


def find_here(host, *args, **kwargs):
    if host not in ("localhost", "127.0.0.1", "::1", None):
        strangers.append(str(host))
        raise socket.gaierror(f"{host} is not this machine")
    return find(host, *args, **kwargs)


socket.getaddrinfo = find_here

from dbt.cli.main import dbtRunner  # noqa: E402


def run(args):
    ended = dbtRunner().invoke(args)
    nodes = [
        {"name": node.node.name, "status": str(node.status), "message": node.message}
        for node in getattr(ended.result, "results", None) or []
    ]
    problem = None if ended.exception is None else str(ended.exception)
    return {"success": ended.success, "problem": problem, "nodes": nodes}


runs = [run(args) for args in json.load(sys.stdin)]
print("RESULT " + json.dumps({"runs": runs, "strangers": strangers}))
