"""Gives the example DAGs to a real Airflow, and the manifests to the published models of Kubernetes' and Cloud Run's APIs.

Prints what Airflow found, as JSON.
"""

import argparse
import json
import sys
from importlib.resources import files
from pathlib import Path

import yaml
from airflow.dag_processing.dagbag import DagBag
from jsonschema import Draft202012Validator
from kubernetes.client import ApiClient

parser = argparse.ArgumentParser()
parser.add_argument("dags")
parser.add_argument("--kubernetes", nargs="+", type=Path)
parser.add_argument("--cloud-run", nargs="+", type=Path)
given = parser.parse_args()

bag = DagBag(given.dags)
if bag.import_errors:
    sys.exit(str(bag.import_errors))
found = {dag.dag_id: {task.task_id: {"type": task.task_type} for task in dag.tasks} for dag in bag.dags.values()}
task = bag.dags["cleargrid_kubernetes"].get_task("sync")
found["pod"] = {"args": task.arguments, "env": [secret.deploy_target for secret in task.secrets]}
found["tasks"] = bag.dags["cleargrid_tasks"].get_task("sync").expand_input.value["arguments"]

client = ApiClient()
for path in given.kubernetes:
    for document in yaml.safe_load_all(path.read_text()):
        # What the models do not know is gone once it has been through them.
        model = client._ApiClient__deserialize(document, f"V1{document['kind']}")  # noqa: SLF001
        known = client.sanitize_for_serialization(model)
        if known != document:
            sys.exit(f"{document['kind']}: {json.dumps(known)} is not {json.dumps(document)}")
        found.setdefault("kinds", []).append(document["kind"])


def as_json_schema(node):
    """A part of a Google API's discovery document as JSON Schema in which no unknown key is let through."""
    if isinstance(node, list):
        return [as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {key: f"#/$defs/{value}" if key == "$ref" else as_json_schema(value) for key, value in node.items()}
    return {**schema, "additionalProperties": False} if isinstance(node.get("properties"), dict) else schema


published = json.loads((files("googleapiclient.discovery_cache.documents") / "run.v1.json").read_text())
definitions = {name: as_json_schema(schema) for name, schema in published["schemas"].items()}
cloud_run = Draft202012Validator({"$ref": "#/$defs/Job", "$defs": definitions})
for path in given.cloud_run:
    if errors := [f"{error.json_path}: {error.message}" for error in cloud_run.iter_errors(yaml.safe_load(path.read_text()))]:
        sys.exit(f"{path.name}: {errors}")
    found.setdefault("cloud_run", []).append(path.name)
print("RESULT " + json.dumps(found))
