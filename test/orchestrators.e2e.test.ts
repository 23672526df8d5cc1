import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseConfig } from '../connector/config/load.ts';
import { createFolder } from './cli-process.ts';
import { AIRFLOW_PYTHON, python } from './python.ts';

/** The examples under `docker/`, as far as they can be judged without the orchestrators themselves. */

const path = (name: string) => fileURLToPath(new URL(`../docker/${name}`, import.meta.url));
const read = (name: string) => readFileSync(path(name), 'utf8');
const SECRETS = { CLEARGRID_PASSWORD: 'a', POSTGRES_PASSWORD: 'b' };
const folder = createFolder();
afterAll(() => folder.remove());

describe.skipIf(AIRFLOW_PYTHON === null)('a real Airflow, and the models of Kubernetes', () => {
  test('import the DAG without an error, and know every key of the manifests', async () => {
    const printed = await python(AIRFLOW_PYTHON!, {
      script: 'airflow/check_examples.py',
      args: [path('airflow_dag.py'), path('kubernetes.yaml')],
      env: { AIRFLOW_HOME: folder.path, AIRFLOW__CORE__LOAD_EXAMPLES: 'False', PYTHONDONTWRITEBYTECODE: '1' },
    });
    const found = JSON.parse(/^RESULT (.*)$/m.exec(printed)![1]!);
    expect(found).toMatchObject({
      cleargrid_docker: { sync: { type: 'DockerOperator' } },
      cleargrid_kubernetes: { sync: { type: 'KubernetesPodOperator' } },
      pod: { args: ['sync', '--config', '/config/config.json'], env: Object.keys(SECRETS) },
      kinds: ['ConfigMap', 'CronJob'],
    });
  }, 300_000);
});

describe('the examples', () => {
  test('hold configs that the connector takes, with every secret from the environment', () => {
    const configMap = parseAllDocuments(read('kubernetes.yaml'))[0]!.toJS();
    for (const config of [read('config.json'), configMap.data['config.json']]) {
      expect(() => parseConfig(JSON.parse(config), SECRETS, 'example')).not.toThrow();
      expect(() => parseConfig(JSON.parse(config), {}, 'example')).toThrow(
        /CLEARGRID_PASSWORD[\s\S]*POSTGRES_PASSWORD/,
      );
    }
  });

  test('never run twice at once', () => {
    const cronJob = parseAllDocuments(read('kubernetes.yaml'))[1]!.toJS();
    expect(cronJob.spec.concurrencyPolicy).toBe('Forbid');
    expect(read('airflow_dag.py')).toContain('"max_active_runs": 1');
    expect(parse(read('cloud-run-job.yaml')).spec.template.spec.taskCount).toBe(1);
    expect(read('crontab')).toMatch(/^[^#].* flock --nonblock /m);
  });
});
