import { describe, expect, it } from 'vitest';
import { readCatalog } from '../connector/api/catalog-reader.ts';
import { Failure } from '../destinations/failure.ts';
import { connect, failureOf, type Handler, inTurn, json, serveApi, text } from './api-server.ts';

const D07 = { section: 'S2', code: 'D07', cursorField: 'updated_at', available: true, name: 'Borrower Payments' };
const D10 = { section: 'S2', code: 'D10', cursorField: null, available: false, name: null };

describe('the catalog is read in any shape', () => {
  const shapes: Record<string, unknown> = {
    'sections with their datasets, in camelCase': {
      sections: [
        {
          sectionCode: 'S2',
          name: 'Payments & Settlements',
          datasets: [
            { datasetCode: 'D07', name: 'Borrower Payments', cursorField: 'updated_at', available: true },
            { datasetCode: 'D10', name: null, cursorField: null, available: false },
          ],
        },
      ],
    },
    'sections with their datasets, in snake_case': {
      items: [
        {
          section_code: 'S2',
          exports: [
            { dataset_code: 'D07', dataset_name: 'Borrower Payments', cursor_field: 'updated_at', available: true },
            { dataset_code: 'D10', cursor_field: null, available: false },
          ],
        },
      ],
    },
    'one flat list': {
      rows: [
        { section: 'S2', code: 'D07', cursorField: 'updatedAt', available: true, title: 'Borrower Payments' },
        { section: { code: 'S2', name: 'Payments' }, code: 'D10', available: false },
      ],
    },
    'objects keyed by code': {
      S2: {
        D07: { cursor_field: 'updated_at', available: true, label: 'Borrower Payments' },
        D10: { cursor_field: null, available: false },
      },
    },
    'a bare list, twice the same': [
      { sectionCode: 'S2', datasetCode: 'D07', name: 'Borrower Payments', cursorField: 'updated_at', available: true },
      { sectionCode: 'S2', datasetCode: 'd10', available: 'false' },
      { sectionCode: 'S2', datasetCode: 'D07', name: 'again', available: false },
    ],
    'no flag where there is a cursor field': [
      { sectionCode: 'S2', datasetCode: 'D07', name: 'Borrower Payments', cursorField: 'updated_at' },
      { sectionCode: 'S2', datasetCode: 'D10', cursorField: null },
    ],
  };
  for (const [name, body] of Object.entries(shapes)) {
    it(name, () => {
      expect(readCatalog([{ code: 200, message: 'success', body, errors: [] }]).datasets).toEqual([D07, D10]);
    });
  }

  it('and a section that is told nowhere is null', () => {
    expect(readCatalog([[{ code: 'D07', available: true }]]).datasets).toMatchObject([{ code: 'D07', section: null }]);
  });

  it.each([
    ['nothing that we know', { code: 200, body: { things: [{ kind: 'payments' }] } }],
    ['a failure', { success: false, message: 'no' }],
    ['a number', 5],
    ['codes without any availability', { body: [{ code: 'D07' }, { code: 'D10' }] }],
    ['a bottomless nest', JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`)],
  ])('but %s is a problem in words', (_, page) => {
    const result = readCatalog([page]);
    expect(result.datasets).toBeNull();
    expect(result.problem).toMatch(/no datasets|does not say/);
  });
});

describe('the catalog is asked for', () => {
  const page = (code: string, nextCursor: string | null) =>
    json(200, () => ({ body: { datasets: [{ code, available: true }], pagination: { nextCursor } } }));

  it('page by page where it pages', async () => {
    const cursors: (string | null)[] = [];
    const pages = inTurn(page('D01', 'next'), page('D02', null));
    const catalog: Handler = (request, ...rest) => {
      cursors.push(new URL(request.url!, 'http://any').searchParams.get('cursor'));
      pages(request, ...rest);
    };
    const api = await connect(await serveApi({ catalog }));
    expect((await api.catalog()).datasets?.map(({ code }) => code)).toEqual(['D01', 'D02']);
    expect(cursors).toEqual([null, 'next']);
  });

  it('but not for ever', async () => {
    const server = await serveApi({ catalog: page('D01', 'same') });
    const api = await connect(server);
    expect((await api.catalog()).problem).toContain('circle');
    expect(server.calls).toEqual(['POST login', 'GET catalog', 'GET catalog']);
  });

  it('again when it fails in passing', async () => {
    const catalog = inTurn(text(503, ''), text(200, '<html>'), page('D01', null));
    const api = await connect(await serveApi({ catalog }));
    expect((await api.catalog()).datasets).toHaveLength(1);
  });

  it('with a renewed token where that is needed', async () => {
    const server = await serveApi({
      catalog: inTurn(
        json(401, () => ({})),
        page('D01', null),
      ),
    });
    const api = await connect(server);
    expect((await api.catalog()).datasets).toHaveLength(1);
    expect(server.calls).toEqual(['POST login', 'GET catalog', 'POST refresh', 'GET catalog']);
  });

  it.each<[string, Handler, string]>([
    ['it is not there', text(404, ''), '404'],
    ['it is forbidden', json(403, () => ({ message: 'no', requestId: 'req_1' })), '403 “no” (request id req_1)'],
    ['it is elsewhere', text(301, '', { location: '/' }), '301'],
    ['it fails all the time', json(500, () => ({ message: 'oops' })), '500 “oops”'],
    ['it fails all the time, and says so', json(500, () => ({ requestId: 'req_2' })), '(request id req_2)'],
    ['it is no JSON', text(200, '<html>'), 'no JSON'],
  ])('and is no more than a problem when %s', async (_, catalog, words) => {
    const api = await connect(await serveApi({ catalog }));
    const result = await api.catalog();
    expect(result.datasets).toBeNull();
    expect(result.problem).toContain(words);
  });

  it('but a token that nothing cures is the end of the run', async () => {
    const api = await connect(await serveApi({ catalog: json(401, () => ({})) }));
    expect(await failureOf(api.catalog(), Failure)).toMatchObject({ kind: 'config_error' });
  });
});
