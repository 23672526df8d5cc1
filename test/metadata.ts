import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Metadata {
  readonly dockerImageTag: string;
  readonly dockerRepository: string;
  readonly icon: string;
  readonly allowedHosts: { readonly hosts: readonly string[] };
  readonly suggestedStreams: { readonly streams: readonly string[] };
}

/** `metadata.yaml`, as Airbyte reads it. */
export function metadata(): Metadata {
  const { data } = parse(readFileSync(new URL('../metadata.yaml', import.meta.url), 'utf8')) as { data: Metadata };
  return data;
}
