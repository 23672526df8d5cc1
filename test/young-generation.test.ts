import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Lets go of rows page by page for a while, as a load does, and tells how large V8's young generation has become: bytes. */
async function afterLoading(before: string): Promise<number> {
  const script = `
    import v8 from 'node:v8';
    ${before}
    const page = () => Array.from({ length: 20_000 }, (_, row) => ({ row, text: 'row ' + row }));
    let last = [];
    for (let pages = 0; pages < 300; pages++) {
      last = [...last.slice(-10_000), ...page()];
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const young = v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    console.log(young.space_size, last.length);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  return Number(stdout.split(' ')[0]);
}

test('the young generation stops growing, and the process needs no flag for it', async () => {
  const module = JSON.stringify(new URL('../connector/young-generation.ts', import.meta.url).href);
  const limited = `const { limitYoungGeneration } = await import(${module}); limitYoungGeneration();`;
  const [bounded, free] = await Promise.all([afterLoading(limited), afterLoading('')]);
  expect(bounded).toBeLessThanOrEqual(32 * 1024 * 1024);
  expect(free).toBeGreaterThan(bounded);
});
