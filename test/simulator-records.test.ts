import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { DATASETS } from '../simulator/datasets.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/simulator.ts';
import documented from './fixtures/simulator-fields.json' with { type: 'json' };
import { logIn, truthOf } from './simulator-client.ts';

const started: Simulator[] = [];
async function start(options: SimulatorOptions): Promise<Simulator> {
  const simulator = await startSimulator(options);
  started.push(simulator);
  return simulator;
}
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.stop();
});

const codes = DATASETS.filter(({ available }) => available).map(({ code }) => code);
const texts = (simulator: Simulator, code: string) => [...simulator.truth(code)].map(({ text }) => text);
const end = '2026-06-01T00:00:00.000Z';

describe('records', () => {
  it('carry every documented field, in order, with unique keys', async () => {
    const simulator = await start({ rows: 300 });
    expect(codes).toHaveLength(19);
    for (const code of codes) {
      const truth = truthOf(simulator, code);
      const fields = fieldsOf(code);
      for (const record of truth) expect(Object.keys(record).filter((name) => fields.includes(name))).toEqual(fields);
      expect(new Set(truth.map(({ public_id }) => public_id)).size).toBe(300);
    }
  });

  it('have keys and dates in the documented forms', async () => {
    const simulator = await start({ rows: 200 });
    const keys = {
      D01: /^[0-9a-f]{24}$/,
      D07: UUID,
      D16: UUID,
      D26: UUID,
      D05: /^evt_[0-9a-f]{12}$/,
      D21: /^[0-9a-f]{24}$/,
    };
    for (const [code, form] of Object.entries(keys)) {
      for (const { public_id } of truthOf(simulator, code)) expect(public_id).toMatch(form);
    }
    for (const record of truthOf(simulator, 'D02')) {
      expect(record.due_date).toMatch(/^\d\d\/\d\d\/\d{4}$/);
      expect(record.updated_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(record.total_amount).toBe(Number(record.balance_amount) + Number(record.paid_amount));
    }
    expect(truthOf(simulator, 'D02').some(({ loan_type }) => Number.isInteger(loan_type))).toBe(true);
    expect(
      truthOf(simulator, 'D16')
        .map(({ public_id }) => public_id)
        .sort(),
    ).toEqual(
      truthOf(simulator, 'D26')
        .map(({ public_id }) => public_id)
        .sort(),
    );
  });

  it('are the same for the same seed, and others for another', async () => {
    const [a, b, c] = [
      await start({ history: { end } }),
      await start({ history: { end } }),
      await start({ history: { end }, seed: 2 }),
    ];
    for (const code of codes) expect(texts(b, code)).toEqual(texts(a, code));
    expect(texts(c, 'D03')).not.toEqual(texts(a, 'D03'));
  });

  it('lie in the history that was asked for', async () => {
    const history = { end, days: 1000, recent: { share: 0.8, days: 30 }, sharedInstant: 100 };
    const times = truthOf(await start({ rows: { D03: 2000 }, history }), 'D03').map(({ updated_at }) =>
      String(updated_at),
    );
    expect(times.filter((time) => time > '2026-05-02').length / 1900).toBeGreaterThan(0.75);
    const counts = new Map<string, number>();
    for (const time of times) counts.set(time, (counts.get(time) ?? 0) + 1);
    expect(Math.max(...counts.values())).toBe(100);
  });

  it('share keys in D16 where that is asked for, with another created_at', async () => {
    const deals = truthOf(await start({ rows: { D16: 200 }, unknowns: { sharedDealKeys: true } }), 'D16');
    const byKey = Map.groupBy(deals, ({ public_id }) => public_id);
    const shared = [...byKey.values()].filter(({ length }) => length > 1);
    expect(shared).toHaveLength(4);
    for (const [one, other] of shared) expect(one!.created_at).not.toBe(other!.created_at);
  });

  it('hold difficult values where asked for, and come as they are', async () => {
    const simulator = await start({ rows: { D03: 1000, D16: 1000, D21: 1000, D02: 0 }, difficult: true });
    const all = texts(simulator, 'D03');
    for (const value of [
      '"31/02/2026"',
      '123456789012345678901234567890',
      '0.12345678901234',
      '"01/01/10000"',
      '"__proto__":{',
      '{"$oid":',
    ]) {
      expect(
        all.some((text) => text.includes(value)),
        value,
      ).toBe(true);
    }
    expect(all.some((text) => text.length > 1_000_000)).toBe(true);
    const records = truthOf(simulator, 'D03');
    expect(records.filter((record) => !('public_id' in record)).length).toBeGreaterThan(0);
    const keys = new Set(records.map(({ public_id }) => public_id));
    expect([...keys].some((key) => typeof key === 'string' && key.endsWith(' ') && keys.has(key.trim()))).toBe(true);
    expect([...keys].some((key) => typeof key === 'string' && /[A-F]/.test(key) && keys.has(key.toLowerCase()))).toBe(
      true,
    );
    for (const { bytes } of simulator.truth('D03'))
      if (bytes.includes(0xff)) expect(bytes.toString()).toContain('\ufffd');
    const { walk } = await logIn(simulator);
    for (const [dataset, code] of [
      ['S1/D03', 'D03'],
      ['S3/D16', 'D16'],
      ['S4/D21', 'D21'],
    ] as const) {
      expect((await walk(dataset, { limit: 1000 })).records).toEqual(truthOf(simulator, code));
    }
  });
});

describe('a change', () => {
  it('moves updated_at to now, alters the record and keeps its key and creation', async () => {
    const simulator = await start({ rows: { D03: 50 } });
    const before = byKey(simulator, 'D03');
    const since = simulator.now();
    const changed = simulator.change('D03', 5);
    expect(new Set(changed).size).toBe(5);
    for (const [key, record] of byKey(simulator, 'D03')) {
      if (!changed.includes(key)) expect(record).toEqual(before.get(key));
      else {
        expect(String(record.updated_at) >= since && String(record.updated_at) < simulator.now()).toBe(true);
        expect(record.created_at).toBe(before.get(key)!.created_at);
        expect(record).not.toEqual({ ...before.get(key), updated_at: record.updated_at });
      }
    }
  });

  it('takes exact values, leaves fields out, and lasts over later changes', async () => {
    const simulator = await start({ rows: { D03: 10 } });
    const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
    const [key] = simulator.change('D03', 1, {
      total_amount: rawJson('12345678901234567890'),
      due_date: undefined,
      fresh: 'ü',
    }) as [string];
    simulator.change('D03', [key]);
    const text = texts(simulator, 'D03').find((record) => record.includes(key))!;
    expect(text).toContain('"total_amount":12345678901234567890,');
    expect(text).toContain('"fresh":"ü"');
    expect(text).not.toContain('due_date');
  });

  it('of an event leaves it where it is: only updated_at tells', async () => {
    const simulator = await start({ rows: { D21: 20, D23: 20 } });
    for (const code of ['D21', 'D23']) {
      const before = byKey(simulator, code);
      const [key] = simulator.change(code, 1) as [string];
      const after = byKey(simulator, code).get(key)!;
      expect(after.communicated_at).toBe(before.get(key)!.communicated_at);
      expect(String(after.updated_at) > String(before.get(key)!.updated_at)).toBe(true);
    }
  });

  it('may be spread over a time before now', async () => {
    const simulator = await start({ rows: { D03: 200 } });
    simulator.change('D03', 200, undefined, { spreadMs: 600_000 });
    expect(new Set(truthOf(simulator, 'D03').map(({ updated_at }) => updated_at)).size).toBeGreaterThan(150);
  });
});

describe('the store', () => {
  it('holds what was written to it, whatever was inserted, changed and removed in whatever order', async () => {
    const step = fc.record({
      kind: fc.constantFrom('change', 'insert', 'late', 'remove'),
      count: fc.integer({ min: 1, max: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.constantFrom('D03', 'D05', 'D21'), async (steps, code) => {
        const simulator = await start({ rows: { [code]: 60 } });
        const field = DATASETS.find((dataset) => dataset.code === code)!.cursorField!;
        let keys = new Set(byKey(simulator, code).keys());
        for (const { kind, count } of steps) {
          if (kind === 'insert') keys = keys.union(new Set(simulator.insert(code, count)));
          if (kind === 'late') keys = keys.union(new Set(simulator.insertLate(code, count, { behindMs: 50_000_000 })));
          if (kind === 'change') simulator.change(code, Math.min(count, keys.size));
          if (kind === 'remove') keys = keys.difference(new Set(simulator.remove(code, Math.min(count, keys.size))));
        }
        const truth = truthOf(simulator, code);
        expect(truth.map(({ public_id }) => public_id as string).sort()).toEqual([...keys].sort());
        const times = truth.map((record) => String(record[field]));
        expect(times).toEqual([...times].sort());
        await simulator.stop();
      }),
      { numRuns: 30 },
    );
  });
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/;
const fieldsOf = (code: string) => (documented as Record<string, string[]>)[code] as string[];

function byKey(simulator: Simulator, code: string): Map<string, Record<string, unknown>> {
  return new Map(truthOf(simulator, code).map((record) => [String(record.public_id), record]));
}
