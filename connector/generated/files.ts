import { STREAMS } from '../../schemas/registry.ts';
import { connectorSpec } from '../config/spec.ts';
import { datasetsPage } from './datasets-page.ts';
import { dbtFiles } from './dbt/files.ts';

/** Committed files that are made from the code, by their path in the project; a test fails when one is stale. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return {
    'spec.json': `${JSON.stringify(connectorSpec(), null, 2)}\n`,
    'docs/datasets.md': datasetsPage(),
    ...dbtFiles(STREAMS),
  };
}
