"""ClearGrid into your warehouse, every hour: by the Docker engine beside Airflow, or on Kubernetes. Keep the one that you need.

A first load of very many records can be shared: ``cleargrid_tasks`` starts several pods at once, by hand. Unpause the hourly DAG after it.

The config has no secret in it: it takes ``${CLEARGRID_PASSWORD}`` and ``${POSTGRES_PASSWORD}`` from the environment.
"""

from datetime import datetime, timedelta

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.secret import Secret
from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk import DAG
from docker.types import Mount
from kubernetes.client import models as k8s

IMAGE = "cleargrid/source-cleargrid:0.1.0"
SYNC = ["sync", "--config", "/config/config.json"]

# Exit code 3: another run is at work, and there is nothing to be done. Any other failure is tried again.
COMMON = {
    "schedule": "5 * * * *",
    "start_date": datetime(2026, 1, 1),
    "catchup": False,
    "max_active_runs": 1,
    "default_args": {"retries": 2, "retry_delay": timedelta(minutes=5)},
    "tags": ["cleargrid"],
}

with DAG("cleargrid_docker", **COMMON):
    DockerOperator(
        task_id="sync",
        image=IMAGE,
        command=SYNC,
        mounts=[Mount("/config/config.json", "/etc/cleargrid/config.json", type="bind", read_only=True)],
        private_environment={
            "CLEARGRID_PASSWORD": "{{ var.value.cleargrid_password }}",
            "POSTGRES_PASSWORD": "{{ conn.warehouse.password }}",
        },
        mem_limit="256m",
        mount_tmp_dir=False,
        auto_remove="force",
        skip_on_exit_code=3,
    )

POD = {
    "task_id": "sync",
    "name": "cleargrid",
    "image": IMAGE,
    "secrets": [
        Secret("env", "CLEARGRID_PASSWORD", "cleargrid", "password"),
        Secret("env", "POSTGRES_PASSWORD", "cleargrid", "postgres-password"),
    ],
    "volumes": [k8s.V1Volume(name="config", config_map=k8s.V1ConfigMapVolumeSource(name="cleargrid"))],
    "volume_mounts": [k8s.V1VolumeMount(name="config", mount_path="/config", read_only=True)],
    "container_resources": k8s.V1ResourceRequirements(limits={"memory": "256Mi"}, requests={"memory": "256Mi", "cpu": "500m"}),
    "termination_grace_period": 30,
    "on_finish_action": "delete_pod",
    "skip_on_exit_code": 3,
}

with DAG("cleargrid_kubernetes", **COMMON):
    KubernetesPodOperator(arguments=SYNC, **POD)

TASKS = 4

with DAG("cleargrid_tasks", **{**COMMON, "schedule": None}):
    KubernetesPodOperator.partial(**POD).expand(arguments=[[*SYNC, "--task", f"{i}/{TASKS}"] for i in range(TASKS)])
