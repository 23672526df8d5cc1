"""Gives the example DAGs to a real Airflow, and the Kubernetes manifests to the models of Kubernetes' published API.

Prints what Airflow found, as JSON. usage: check_examples.py DAG-FILE MANIFESTS
"""

import json
import sys
from pathlib import Path

import yaml
from airflow.dag_processing.dagbag import DagBag
from kubernetes.client import ApiClient

dag_file, manifests = sys.argv[1:]

bag = DagBag(dag_file)
if bag.import_errors:
    sys.exit(str(bag.import_errors))
found = {
    dag.dag_id: {task.task_id: {"type": type(task).__name__, "image": task.image} for task in dag.tasks}
    for dag in bag.dags.values()
}
task = bag.dags["cleargrid_kubernetes"].get_task("sync")
found["pod"] = {"args": task.arguments, "env": [secret.deploy_target for secret in task.secrets]}

client = ApiClient()
for document in yaml.safe_load_all(Path(manifests).read_text()):
    # What the models do not know is gone once it has been through them.
    model = client._ApiClient__deserialize(document, f"V1{document['kind']}")  # noqa: SLF001
    known = client.sanitize_for_serialization(model)
    if known != document:
        sys.exit(f"{document['kind']}: {json.dumps(known)} is not {json.dumps(document)}")
    found.setdefault("kinds", []).append(document["kind"])
print("RESULT " + json.dumps(found))
