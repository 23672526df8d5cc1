import { type Answer, envelopeOf, jsonAnswer } from './answer.ts';
import { type DatasetInfo, SECTIONS } from './datasets.ts';
import type { Unknowns } from './unknowns.ts';

/** The catalog in whichever shape is assumed; its address, keys and paging are not documented. */
export function catalogAnswer(datasets: readonly DatasetInfo[], cursor: string | null, unknowns: Unknowns): Answer {
  const start = cursor === null ? 0 : Number.parseInt(cursor, 10) || 0;
  if (unknowns.catalogShape === 'bare') {
    const list = datasets.map((info) => entry(info, unknowns, true));
    return jsonAnswer(200, list);
  }
  const end = start + unknowns.catalogPage;
  const listed = datasets.slice(start, end);
  const pagination =
    unknowns.catalogPage < datasets.length ? { nextCursor: end < datasets.length ? String(end) : null } : null;
  const more = unknowns.catalogMore ? { version: '1.2' } : {};
  const body = { ...more, ...containers(listed, unknowns), ...(pagination && { pagination }) };
  return jsonAnswer(200, envelopeOf(body, unknowns));
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

function entry(info: DatasetInfo, unknowns: Unknowns, withSection: boolean): object {
  const { catalogKeys, catalogMore, catalogShape } = unknowns;
  const { code, name, section, cursorField, available, paging } = info;
  const isLong = catalogKeys === 'long';
  return {
    ...(withSection && { [isLong ? 'sectionCode' : 'section']: section }),
    ...(catalogShape !== 'keyed' && { [isLong ? 'datasetCode' : 'code']: code }),
    name,
    [isLong ? 'cursorField' : 'cursor_field']: cursorField,
    available,
    ...(catalogMore && { pageSize: 1000, pagination: paging }),
  };
}
