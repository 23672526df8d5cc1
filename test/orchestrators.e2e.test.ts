import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseConfig } from '../connector/config/load.ts';
import type { Summary } from '../connector/summary.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { createFolder, run } from './cli-process.ts';
import { startPostgres, type TestServer } from './postgres-server.ts';
import { configFor } from './postgres-target.ts';
import { AIRFLOW_PYTHON, python } from './python.ts';

/** The examples under `docker/`, as far as they can be judged without the orchestrators themselves. */

const path = (name: string) => fileURLToPath(new URL(`../docker/${name}`, import.meta.url));
const read = (name: string) => readFileSync(path(name), 'utf8');
const kubernetes = parseAllDocuments(read('kubernetes.yaml')).map((document) => document.toJS());
const SECRETS = { CLEARGRID_PASSWORD: 'a', POSTGRES_PASSWORD: 'b' };
const folder = createFolder();
afterAll(() => folder.remove());

const airflow = async () => {
  const printed = await python(AIRFLOW_PYTHON!, {
    script: 'airflow/check_examples.py',
    args: [
      path('airflow_dag.py'),
      ...['--kubernetes', path('kubernetes.yaml'), path('kubernetes-tasks.yaml')],
      ...['--cloud-run', path('cloud-run-job.yaml'), path('cloud-run-tasks.yaml')],
    ],
    env: { AIRFLOW_HOME: folder.path, AIRFLOW__CORE__LOAD_EXAMPLES: 'False', PYTHONDONTWRITEBYTECODE: '1' },
  });
  return JSON.parse(/^RESULT (.*)$/m.exec(printed)![1]!);
};

describe.skipIf(AIRFLOW_PYTHON === null)('a real Airflow, and the published models of Kubernetes and Cloud Run', () => {
  test('import the DAGs without an error, and know every key of the manifests', async () => {
    expect(await airflow()).toMatchObject({
      cleargrid_docker: { sync: { type: 'DockerOperator' } },
      cleargrid_kubernetes: { sync: { type: 'KubernetesPodOperator' } },
      cleargrid_tasks: { sync: { type: 'KubernetesPodOperator' } },
      pod: { args: ['sync', '--config', '/config/config.json'], env: Object.keys(SECRETS) },
      kinds: ['ConfigMap', 'CronJob', 'Job'],
      cloud_run: ['cloud-run-job.yaml', 'cloud-run-tasks.yaml'],
    });
  }, 300_000);
});

describe('the examples', () => {
  test('hold configs that the connector takes, with every secret from the environment', () => {
    for (const config of [read('config.json'), kubernetes[0].data['config.json']]) {
      expect(() => parseConfig(JSON.parse(config), SECRETS, 'example')).not.toThrow();
      expect(() => parseConfig(JSON.parse(config), {}, 'example')).toThrow(
        /CLEARGRID_PASSWORD[\s\S]*POSTGRES_PASSWORD/,
      );
    }
  });

  test('never run twice at once', () => {
    expect(kubernetes[1].spec.concurrencyPolicy).toBe('Forbid');
    expect(read('airflow_dag.py')).toContain('"max_active_runs": 1');
    expect(parse(read('cloud-run-job.yaml')).spec.template.spec.taskCount).toBe(1);
  });

  test('of tasks start all of them at once, in the same container as the others', () => {
    const { spec: job } = parse(read('kubernetes-tasks.yaml'));
    expect(job).toMatchObject({ completionMode: 'Indexed', completions: job.parallelism });
    const [container] = job.template.spec.containers;
    const [alone] = kubernetes[1].spec.jobTemplate.spec.template.spec.containers;
    const [count, ...env] = container.env;
    expect(count).toEqual({ name: 'CLEARGRID_TASK_COUNT', value: String(job.completions) });
    expect({ ...container, env }).toEqual(alone);

    const { spec: tasks } = parse(read('cloud-run-tasks.yaml')).spec.template;
    expect(tasks.taskCount).toBe(tasks.parallelism);
    const { spec: one } = parse(read('cloud-run-job.yaml')).spec.template;
    expect(tasks.template.spec.containers).toEqual(one.template.spec.containers);
  });
});

describe('the tasks of an example share the work', () => {
  const ROWS = 40_000;
  const STREAM = 'borrower_sub_accounts';
  let server: TestServer;
  let simulator: Simulator;
  beforeAll(async () => {
    [server, simulator] = await Promise.all([startPostgres(), startSimulator({ rows: { D03: ROWS }, latencyMs: 500 })]);
  });
  afterAll(() => Promise.all([server.stop(), simulator.stop()]));

  /** Starts the tasks as the orchestrator would: its arguments and its environment, and of both only the config another one. */
  async function start(tasks: readonly { args: readonly string[]; env: Record<string, string> }[]) {
    const database = await server.createDatabase();
    const { lender, email, password, url } = simulator;
    const config = folder.config(`${database}.json`, {
      ...{ lender, email, password, base_url: url, streams: [STREAM] },
      destination: configFor(server, database, 'cleargrid'),
    });
    const ended = await Promise.all(
      tasks.map(({ args, env }) =>
        run(
          args.map((arg) => (arg === '/config/config.json' ? config : arg)),
          { env },
        ),
      ),
    );
    for (const { code, stderr } of ended) expect(code, stderr.slice(-2000)).toBe(0);
    const summaries = ended.map(({ stdout }) => JSON.parse(stdout) as Summary);
    const written = summaries.map(({ streams }) => streams.reduce((sum, { rows_written }) => sum + rows_written, 0));
    return { tasks: summaries.map(({ task }) => task), written };
  }

  const shared = {
    tasks: ['0/4', '1/4', '2/4', '3/4'],
    written: expect.toSatisfy(
      (written: readonly number[]) =>
        written.reduce((sum, rows) => sum + rows) === ROWS && written.filter((rows) => rows > 0).length >= 2,
    ),
  };

  test('of an Indexed Job of Kubernetes, which tells each its index', async () => {
    const { spec: job } = parse(read('kubernetes-tasks.yaml'));
    const [{ args, env }] = job.template.spec.containers;
    const plain = Object.fromEntries(
      env.flatMap(({ name, value }: { name: string; value?: string }) => (value === undefined ? [] : [[name, value]])),
    );
    const tasks = Array.from({ length: job.completions }, (_, index) => ({
      args,
      env: { ...plain, JOB_COMPLETION_INDEX: String(index) },
    }));
    expect(await start(tasks)).toEqual(shared);
  });

  test('of a Cloud Run job, which tells each its index and their count', async () => {
    const { spec: job } = parse(read('cloud-run-tasks.yaml')).spec.template;
    const [{ args }] = job.template.spec.containers;
    const tasks = Array.from({ length: job.taskCount }, (_, index) => ({
      args,
      env: { CLOUD_RUN_TASK_INDEX: String(index), CLOUD_RUN_TASK_COUNT: String(job.taskCount) },
    }));
    expect(await start(tasks)).toEqual(shared);
  });

  test.skipIf(AIRFLOW_PYTHON === null)(
    'of a mapped operator of Airflow, by the arguments that it makes of it',
    async () => {
      const { tasks } = (await airflow()) as { tasks: string[][] };
      expect(await start(tasks.map((args) => ({ args, env: {} })))).toEqual(shared);
    },
    300_000,
  );
});
