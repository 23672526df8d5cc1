import { type Answer, jsonAnswer } from './answer.ts';
import { type DatasetInfo, SECTIONS } from './datasets.ts';
import type { Unknowns } from './options.ts';

/** The catalog in whichever shape is assumed; its address, keys and paging are not documented. */
export function catalogAnswer(datasets: readonly DatasetInfo[], cursor: string | null, unknowns: Unknowns): Answer {
  const start = cursor === null ? 0 : Number.parseInt(cursor, 10) || 0;
  const end = start + unknowns.catalogPage;
  const listed = datasets.slice(start, end);
  if (unknowns.catalogShape === 'bare')
    return jsonAnswer(
      200,
      listed.map((info) => entry(info, unknowns, true)),
    );
  const pagination =
    unknowns.catalogPage < datasets.length ? { nextCursor: end < datasets.length ? String(end) : null } : null;
  const body = { ...containers(listed, unknowns), ...(pagination && { pagination }) };
  return jsonAnswer(200, { code: 200, message: unknowns.message, body, errors: [] });
}

function containers(listed: readonly DatasetInfo[], unknowns: Unknowns): object {
  const sections = [...new Set(listed.map(({ section }) => section))].sort();
  const inSection = (code: string) => listed.filter(({ section }) => section === code);
  switch (unknowns.catalogShape) {
    case 'datasets':
      return { datasets: listed.map((info) => entry(info, unknowns, true)) };
    case 'rows':
      return { rows: listed.map((info) => entry(info, unknowns, true)) };
    case 'keyed':
      return Object.fromEntries(
        sections.map((code) => [
          code,
          Object.fromEntries(inSection(code).map((info) => [info.code, entry(info, unknowns, false)])),
        ]),
      );
    default:
      return {
        sections: sections.map((code) => ({
          [unknowns.catalogKeys === 'long' ? 'sectionCode' : 'code']: code,
          name: SECTIONS[code] ?? null,
          datasets: inSection(code).map((info) => entry(info, unknowns, false)),
        })),
      };
  }
}

function entry(info: DatasetInfo, { catalogKeys, catalogShape }: Unknowns, withSection: boolean): object {
  const { code, name, section, cursorField, available } = info;
  const isLong = catalogKeys === 'long';
  return {
    ...(withSection && { [isLong ? 'sectionCode' : 'section']: section }),
    ...(catalogShape !== 'keyed' && { [isLong ? 'datasetCode' : 'code']: code }),
    name,
    [isLong ? 'cursorField' : 'cursor_field']: cursorField,
    available,
  };
}
