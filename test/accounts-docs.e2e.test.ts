import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startSimulator } from '../simulator/simulator.ts';
import { createFolder, run } from './cli-process.ts';

interface Block {
  readonly language: string;
  /** The file that it is, or empty. */
  readonly name: string;
  readonly text: string;
}

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm)].map(([, language, name, text]) => ({
    language: language!,
    name: name!,
    text: text!,
  }));
}

test('the example in docs/accounts.md does what it says', async () => {
  const folder = createFolder();
  const simulator = await startSimulator({ rows: 20 });
  try {
    const { lender, email, password, url } = simulator;
    folder.config('config.json', { lender, email, password, base_url: url });
    const blocks = blocksOf(readFileSync(new URL('../docs/accounts.md', import.meta.url), 'utf8'));
    for (const { name, text } of blocks.filter(({ name }) => name !== '')) writeFileSync(join(folder.path, name), text);
    const shown = blocks.filter(({ language }) => language === 'sh' || language === 'text');
    expect(shown.length).toBe(8);
    const codes: (number | null)[] = [];
    for (let at = 0; at < shown.length; at += 2) {
      const [program, command, ...args] = shown[at]!.text.trim().split(' ').slice(1);
      expect(program).toBe('cleargrid-connector');
      const ended = await run([command!, ...args], { cwd: folder.path });
      codes.push(ended.code);
      const told = command === 'reconcile' ? ended.stdout : ended.log.map(({ message }) => message).join('\n');
      expect(told.trim()).toBe(shown[at + 1]!.text.trim());
      await simulator.accountsSettled();
    }
    expect(codes).toEqual([1, 0, 0, 0]);
  } finally {
    await simulator.stop();
    folder.remove();
  }
});
