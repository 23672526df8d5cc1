import { systemError } from '../../destinations/failure.ts';
import { FORMAT } from './format.ts';

const IMPORT = /^import \{ \w+ \} from '\.\/streams\/(\w+)\.ts';$/;
const LIST_START = 'export const STREAMS: readonly Stream[] = [';

export interface Entry {
  readonly name: string;
  readonly code: string;
}

/**
 * The registry's text with one stream more: its import among the others, and its line in the order of the codes.
 *
 * @param streams those that the registry has, in its order.
 * @throws {Failure} when the registry does not look as it should.
 */
export function withStream(registry: string, streams: readonly Entry[], added: Entry): string {
  const lines = registry.split('\n');
  const variable = FORMAT.variable(added.name);
  const imports = lines.flatMap((line, at) => (IMPORT.test(line) ? [at] : []));
  const start = lines.indexOf(LIST_START);
  if (imports.length !== streams.length || start === -1 || lines[start + streams.length + 1] !== '];')
    throw systemError(
      `schemas/registry.ts does not look as expected: add the import and the line of ${variable} by hand`,
    );
  // The later place first: what is put in before it would move it.
  const behind = streams.filter(({ code }) => code < added.code).length;
  lines.splice(start + 1 + behind, 0, `  ${variable},`);
  const next = imports.find((at) => IMPORT.exec(lines[at]!)![1]! > added.name);
  const line = `import { ${variable} } from './streams/${added.name}.ts';`;
  lines.splice(next ?? (imports.at(-1) ?? -1) + 1, 0, line);
  return lines.join('\n');
}
