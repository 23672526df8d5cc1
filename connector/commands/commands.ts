import type { CommandContext } from './context.ts';

/** The commands, as the command line and its help know them. Nothing is imported until a command is run. */

export interface Flag {
  /** `boolean` flags stand alone; the others take a value, called `value` in the help. */
  readonly type: 'boolean' | 'string' | 'integer';
  readonly value?: string;
  /** One letter, for flags that everyone tries. */
  readonly short?: string;
  readonly about: string;
  readonly required?: boolean;
  /** Bounds of an integer. */
  readonly min?: number;
  readonly max?: number;
}

export interface Command {
  readonly about: string;
  /** What the help says beyond the flags. */
  readonly notes?: string;
  /** Whether the command's module has more to say in its help. */
  readonly moreNotes?: true;
  readonly flags: Readonly<Record<string, Flag>>;
  /** A command of the Airbyte protocol: any failure is also a TRACE on stdout, and its exit code is 1. */
  readonly airbyte?: true;
  /** Traced and measured, where the environment asks for it. */
  readonly traced?: true;
  readonly load: () => Promise<{ run: RunCommand; notes?: () => Promise<string> }>;
}

/** The flags as they were given: text, a whole number, or true. */
export type FlagValues = Readonly<Record<string, string | number | boolean | undefined>>;

/** @returns the exit code. @throws {Failure} when the command could not do what was asked; its kind gives the exit code. */
export type RunCommand = (flags: FlagValues, context: CommandContext) => Promise<number>;

const config: Flag = { type: 'string', value: 'FILE', about: 'the config file (JSON)', required: true };

export const COMMON_FLAGS: Readonly<Record<string, Flag>> = {
  debug: { type: 'boolean', about: 'also tell details and stack traces on stderr' },
  help: { type: 'boolean', short: 'h', about: 'show this help' },
};

export const COMMANDS: Readonly<Record<string, Command>> = {
  check: {
    about: 'log in, read the catalog and prove that the destination can be written',
    notes:
      'Prints an Airbyte CONNECTION_STATUS. A destination that the config does not name is not touched; in one that it names,\n' +
      'the stored positions are judged as sync would. Once a status is printed the exit code is 0, also when it says FAILED.',
    flags: { config },
    airbyte: true,
    load: () => import('./check.ts'),
  },
  sync: {
    about: 'read the streams and write them to the destination',
    notes:
      'The summary of the run is one line of JSON on stdout, and its log JSON lines on stderr; on a terminal there are\n' +
      'progress and a table instead of the log.\n' +
      'Without a destination in the config, rows go to the DuckDB file ./cleargrid.duckdb.',
    flags: {
      config,
      streams: { type: 'string', value: 'A,B', about: "only these of the config's streams" },
      'full-refresh': {
        type: 'boolean',
        about: 'read everything again, and mark rows that the API no longer has as deleted',
      },
      'allow-mass-delete': { type: 'boolean', about: 'let a full refresh mark more than half of a table as deleted' },
      'dry-run': { type: 'boolean', about: 'judge the positions, plan, ask the API, and write nothing anywhere' },
      task: {
        type: 'string',
        value: 'I/N',
        about: 'this is task I (from 0) of N that share the work, each started by an orchestrator; not into DuckDB',
      },
    },
    traced: true,
    load: () => import('./sync.ts'),
  },
  verify: {
    about: 'compare each table with what the API counts, and read again just what differs',
    notes:
      'Compares rows by spans of the cursor field, up to where the next sync begins, and looks for the place where the counts\n' +
      'differ. It is told as sync tells its runs, but on a terminal the table stands for the line of JSON.\n' +
      'Exit code 0 only if all is equal.',
    flags: {
      config,
      streams: { type: 'string', value: 'A,B', about: "only these of the config's streams" },
      repair: { type: 'boolean', about: 'read the spans that differ again, and compare them once more' },
      json: { type: 'boolean', about: 'one line of JSON on stdout, on a terminal too' },
    },
    traced: true,
    load: () => import('./verify.ts'),
  },
  status: {
    about: 'show how far each stream is, its last run and its last error',
    notes:
      'Needs neither the API nor a lock: it can be asked while a run is at work. Only a DuckDB file belongs to that run\n' +
      'alone: then status says which run and process have it.',
    flags: { config, json: { type: 'boolean', about: 'one line of JSON on stdout, for programs' } },
    load: () => import('./status.ts'),
  },
  report: {
    about: 'write what status tells, and more of the last runs, as a web page for people',
    notes:
      'One HTML file that needs no network and no script. Needs neither the API nor a lock; no value of a row is on it.\n' +
      'An existing file is replaced as a whole.',
    flags: { config, out: { type: 'string', value: 'FILE', about: 'where to write the page', required: true } },
    load: () => import('./report.ts'),
  },
  spec: {
    about: "print the config's JSON schema, as Airbyte reads it",
    flags: {},
    airbyte: true,
    load: () => import('./spec.ts'),
  },
  discover: {
    about: 'print the available streams as an Airbyte CATALOG',
    flags: { config },
    airbyte: true,
    load: () => import('./discover.ts'),
  },
  read: {
    about: "print the streams of a catalog as Airbyte's RECORD and STATE messages",
    notes: 'Of what it prints, any STATE that is given with --state goes on from there.',
    flags: {
      config,
      catalog: { type: 'string', value: 'FILE', about: 'the configured catalog (JSON)', required: true },
      state: { type: 'string', value: 'FILE', about: 'the last states, a JSON list (default: from the start)' },
    },
    airbyte: true,
    traced: true,
    // First the flag, or reading and compiling the command's modules has grown the heap before it.
    load: async () => {
      await import('../lean-heap.ts');
      return import('./read.ts');
    },
  },
  push: {
    about: 'send accounts to ClearGrid: create, update, withdraw',
    notes:
      'Each line of an input is accepted once, whatever breaks on the way: run it again. Bad accounts are told by line on\n' +
      'stderr, and the good ones are sent. The summary is one line of JSON on stdout.',
    flags: {
      config,
      input: { type: 'string', value: 'FILE', about: 'NDJSON, a JSON array or CSV; - is standard input' },
      format: { type: 'string', value: 'NAME', about: 'ndjson, json or csv (default: what the ending of FILE says)' },
      query: { type: 'string', value: 'SELECT', about: 'a query on the destination, in place of --input' },
      strict: { type: 'boolean', about: 'check all accounts first; a single bad one holds back all' },
      resend: { type: 'boolean', about: 'send also what was accepted before' },
      'dry-run': { type: 'boolean', about: 'check, count and show the requests; send nothing' },
    },
    traced: true,
    load: () => import('./push.ts'),
  },
  reconcile: {
    about: 'prove from the exports that the accounts that were sent have arrived',
    notes:
      'Each account is marked confirmed, differs or lost in _cleargrid_pushes. What is lost, the next push of the same input\n' +
      'sends again. Exit code 0 only if all are confirmed.',
    flags: {
      config,
      since: { type: 'string', value: 'INSTANT', about: 'prove again all that was accepted since then' },
      wait: {
        type: 'string',
        value: 'TIME',
        about: 'how long after its acceptance an account is waited for (default: 120s)',
      },
      json: { type: 'boolean', about: 'one line of JSON on stdout, for programs' },
    },
    traced: true,
    load: () => import('./reconcile.ts'),
  },
  simulate: {
    about: 'serve a ClearGrid API on this machine, until stopped',
    notes: 'Prints one line of JSON with the URL and a config that is ready to be used.',
    moreNotes: true,
    flags: {
      port: {
        type: 'integer',
        value: 'N',
        about: 'the port to listen on (default: any free one)',
        min: 0,
        max: 65_535,
      },
      host: {
        type: 'string',
        value: 'HOST',
        about: 'the address to listen on (default: 127.0.0.1); 0.0.0.0: all of them, with plain http',
      },
      rows: {
        type: 'integer',
        value: 'N',
        about: 'records of each dataset (default: 1000); 100,000 take some 10 s and 1 GB',
        min: 0,
        max: 10_000_000,
      },
      open: { type: 'string', value: 'CODES', about: 'reserved datasets that have opened, by their codes' },
      seed: { type: 'integer', value: 'N', about: 'the same seed gives the same rows (default: 1)', min: 0 },
      difficult: { type: 'boolean', about: 'every third record holds a value that is hard to land' },
      'clock-behind': {
        type: 'integer',
        value: 'SECONDS',
        about: "how far the API's clock is behind this machine's (default: 0)",
        min: 0,
        max: 31_536_000,
      },
      faults: { type: 'string', value: 'A,B', about: 'faults to put in the way of a client (see below)' },
      assume: {
        type: 'string',
        value: 'A=X,B=Y',
        about: 'other answers to what the documentation leaves open (see below)',
      },
    },
    load: () => import('./simulate.ts'),
  },
  'new-stream': {
    about: 'declare a dataset that is not declared yet: sample it, and write the files that this takes',
    notes:
      'For a checkout of the source. Writes the declaration, its line in the registry and a page of made-up records. What the\n' +
      'sample cannot tell is asked for in comments. No value of a record is shown or kept.',
    flags: {
      config,
      dataset: { type: 'string', value: 'S3/D27', about: 'section and code of the dataset', required: true },
      name: { type: 'string', value: 'NAME', about: "the stream's and table's name (default: the catalog's)" },
    },
    load: () => import('./new-stream.ts'),
  },
  demo: {
    about: 'see it work: a simulated API, two runs into DuckDB, and the rows that changed in between',
    flags: {
      path: { type: 'string', value: 'FILE', about: 'where to put the DuckDB file (default: a new temporary folder)' },
    },
    load: () => import('./demo.ts'),
  },
};
