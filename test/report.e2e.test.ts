import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobsOf } from '../connector/commands/jobs.ts';
import { statusOf } from '../connector/commands/status-report.ts';
import { parseConfig } from '../connector/config/load.ts';
import { type PageFacts, pageFacts } from '../connector/report-page/facts.ts';
import { pageHtml } from '../connector/report-page/page.ts';
import { unreadSummary } from '../connector/sync/outcome.ts';
import type { RunRecord } from '../destinations/contract.ts';
import { duckdbDestination } from '../destinations/duckdb/destination.ts';
import { run, start } from './cli-process.ts';
import { aDayOfRuns, MARK, type ReportWorld, reportWorld, SECRET } from './report-world.ts';

const CHROMIUM = process.env.CLEARGRID_TEST_CHROMIUM ?? '/usr/bin/chromium';

/** Where the screenshots are kept for a person to look at; without it they are looked at by the tests alone. */
const SCREENSHOTS = process.env.CLEARGRID_TEST_SCREENSHOTS;

let world: ReportWorld;
beforeAll(async () => {
  world = await reportWorld({ hours: 7 });
  await aDayOfRuns(world, 7);
  execFileSync('mkfifo', [join(world.folder, 'pipe')]);
  const { code, stderr } = await world.report();
  expect([code, stderr]).toEqual([0, '']);
});
afterAll(() => world?.end());

const html = () => readFileSync(join(world.folder, 'report.html'), 'utf8');

describe('report', () => {
  test('puts no value of a row and no secret on the page, and asks nothing of a network', async () => {
    const destination = duckdbDestination({
      type: 'duckdb',
      path: join(world.folder, 'warehouse.duckdb'),
      schema: 'main',
    });
    const rejects: string[] = [];
    for await (const row of destination.query('select record from _cleargrid_rejects'))
      rejects.push(JSON.stringify(row));
    await destination.close();
    expect(rejects.filter((record) => record.includes(MARK))).toHaveLength(5);

    const { email, lenderPublicId } = world.simulator;
    for (const text of [MARK, SECRET, email, lenderPublicId, ...keys()]) expect(html()).not.toContain(text);
    expect(html()).not.toMatch(/https?:|<script|@import|url\(/);
  });

  test('replaces a page that is there, and leaves nothing beside it', async () => {
    writeFileSync(join(world.folder, 'old.html'), 'old');
    expect((await world.report(join(world.folder, 'old.html'))).code).toBe(0);
    expect(readFileSync(join(world.folder, 'old.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    expect(readdirSync(world.folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test.each([
    ['a folder that does not exist', 'nowhere/report.html', 'does not exist; make it'],
    ['a folder', '.', 'is a folder; name a file in it'],
    ['stdout', '-', 'to a file and not to stdout'],
    ['a pipe, which it would replace', 'pipe', 'is no ordinary file'],
    ['a place where nobody may write', '/proc/report.html', 'cannot be written'],
    ['a name that is too long', `${'r'.repeat(251)}.html`, 'give it a shorter one'],
  ])('refuses %s, and says what to do', async (_, out, message) => {
    const { code, stderr, stdout } = await run(['report', '--config', world.config, '--out', out], {
      cwd: world.folder,
    });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(statSync(join(world.folder, 'pipe')).isFIFO()).toBe(true);
  });
});

/** The keys of some rows that changed: they were in pages, rejects and logs of the API, and belong in tables alone. */
function keys(): string[] {
  return [...world.simulator.truth('D02')].slice(0, 20).map(({ bytes }) => JSON.parse(String(bytes)).public_id);
}

describe.skipIf(!existsSync(CHROMIUM))(`the page in a real browser (needs ${CHROMIUM})`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  interface Screen {
    readonly width?: number;
    readonly scheme?: 'light' | 'dark';
    readonly file?: string;
  }

  /** Opens the page, and fails the test for anything that it asks for or complains of. */
  async function open({ width = 1200, scheme = 'light', file = 'report.html' }: Screen = {}): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme: scheme });
    page.setDefaultTimeout(10_000);
    const url = pathToFileURL(join(world.folder, file)).href;
    page.on('request', (request) => {
      const asked = request.url();
      if (asked !== url && !asked.startsWith('data:')) throw new Error(`the page asks for ${asked}`);
    });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url, { waitUntil: 'networkidle' });
    expect(complaints).toEqual([]);
    return page;
  }

  async function look(page: Page, name: string): Promise<Buffer> {
    const image = await page.screenshot({ fullPage: true });
    if (SCREENSHOTS !== undefined) {
      mkdirSync(SCREENSHOTS, { recursive: true });
      writeFileSync(join(SCREENSHOTS, `${name}.png`), image);
    }
    return image;
  }

  test('shows what failed first, then figures, charts and every stream', async () => {
    const page = await open();
    expect((await look(page, 'light')).length).toBeGreaterThan(50_000);
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('2 things need attention');
    const [first, second] = await page.getByRole('listitem').all();
    expect(await first!.innerText()).toMatch(
      /^Act\s+1 stream failed[\s\S]*paged by created_at[\s\S]*sync --config FILE/,
    );
    expect(await second!.innerText()).toMatch(
      /^Look\s+5 new rejects[\s\S]*public_id is null \(3\); public_id is an object \(2\)/,
    );
    expect(await page.getByText('4 values did not fit in the latest run').isVisible()).toBe(true);

    const row = page.getByRole('row', { name: /^borrower_sub_accounts/ });
    expect(await row.getByText('failed', { exact: true }).isVisible()).toBe(true);
    expect(await page.getByRole('row', { name: /^borrower_payment_plans / }).innerText()).toContain('3 (3 new)');
    expect(await page.locator('table.streams tbody tr:visible').count()).toBe(19);

    const chart = page.getByRole('img', { name: 'Rows written, the last 7 runs' });
    const box = (await chart.boundingBox())!;
    expect(box.width).toBeGreaterThan(250);
    expect(await chart.locator('rect').count()).toBe(7);
    expect(await chart.getByText('↑ 1,140').isVisible()).toBe(true);
    await page.close();
  });

  test('opens a stream from its link, and everything by the keyboard alone', async () => {
    const page = await open();
    const its = page.getByRole('region', { name: 'Rejects by reason, borrower_payment_plans' });
    expect(await its.isVisible()).toBe(false);
    await page
      .getByRole('row', { name: /^borrower_payment_plans / })
      .getByRole('link')
      .click();
    await its.waitFor({ state: 'visible' });
    expect(await its.innerText()).toContain('public_id is null');

    const runs = page.getByRole('region', { name: 'Runs, newest first', exact: true });
    expect(await runs.isVisible()).toBe(false);
    await page.goto(page.url().replace(/#.*/, ''));
    for (let at = 0; at < 40 && !(await runs.isVisible()); at++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate('document.activeElement.textContent')) === 'The runs as a table')
        await page.keyboard.press('Enter');
    }
    expect(await runs.isVisible()).toBe(true);
    expect(await runs.getByRole('row').count()).toBe(8);
    await page.close();
  });

  test('is read on a phone without moving it sideways, with all of it open', async () => {
    const page = await open({ width: 360 });
    await look(page, 'phone');
    expect(
      await page
        .getByRole('row', { name: /^borrower_sub_accounts/ })
        .getByText('failed', { exact: true })
        .isVisible(),
    ).toBe(true);
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    await look(page, 'phone-open');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    const beyond = await page.evaluate(BEYOND_THE_EDGE);
    expect(beyond).toEqual([]);
    await page.close();
  });

  test.each([1200, 720, 360])('keeps each label of a chart within it, %i pixels wide', async (width) => {
    writeFileSync(join(world.folder, 'long.html'), pageHtml(longFacts(), new Date('2026-06-01T13:00:00Z')));
    for (const file of ['report.html', 'long.html']) {
      const page = await open({ width, file });
      await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
      await look(page, `labels-${width}-${file}`);
      const { labels, outside } = await page.evaluate<{ labels: string[]; outside: string[] }>(CHART_LABELS);
      expect([file, outside]).toEqual([file, []]);
      if (file === 'long.html')
        expect(labels).toEqual(expect.arrayContaining(['1 min 40 s', '2,000,000,000', '200,000']));
      await page.close();
    }
  });

  test('has its own colours in light and in dark, and contrast in both', async () => {
    const grounds = new Set<unknown>();
    for (const scheme of ['light', 'dark'] as const) {
      const page = await open({ scheme });
      await look(page, scheme);
      await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
      grounds.add(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
      const { texts, least } = await page.evaluate<{ texts: number; least: number }>(LEAST_CONTRAST);
      expect(texts).toBeGreaterThan(500);
      expect(least).toBeGreaterThanOrEqual(4.5);
      await page.close();
    }
    expect(grounds.size).toBe(2);
  });

  test('is told to who cannot see it: landmarks, captions, words for every chart', async () => {
    const page = await open();
    for (const role of ['banner', 'main', 'contentinfo'] as const) expect(await page.getByRole(role).count()).toBe(1);
    expect(await page.locator('table:not(:has(> caption))').count()).toBe(0);
    expect(await page.locator('svg:not([role=img][aria-label])').count()).toBe(0);
    expect(await page.locator('html[lang=en] head title').count()).toBe(1);
    await page.close();
  });

  test('prints what is closed on the screen, in dark ink', async () => {
    const page = await open({ scheme: 'dark', width: 720 });
    const inside = page.getByRole('region', { name: 'Runs, newest first', exact: true });
    expect(await inside.isVisible()).toBe(false);
    await page.emulateMedia({ media: 'print' });
    await look(page, 'print');
    expect(await inside.isVisible()).toBe(true);
    expect(await page.evaluate('getComputedStyle(document.body).color')).toBe('rgb(0, 0, 0)');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(720);
    await page.close();
  });

  test('tells an empty installation how to begin', async () => {
    const destination = { type: 'duckdb', path: join(world.folder, 'none.duckdb') };
    const config = { ...JSON.parse(readFileSync(world.config, 'utf8')), destination };
    writeFileSync(join(world.folder, 'empty.json'), JSON.stringify(config));
    const out = join(world.folder, 'empty.html');
    expect((await run(['report', '--config', join(world.folder, 'empty.json'), '--out', out])).code).toBe(0);
    expect(existsSync(destination.path)).toBe(false);
    const page = await open({ file: 'empty.html' });
    await look(page, 'empty');
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('No run yet');
    expect(await page.getByText('cleargrid-connector sync --config FILE').isVisible()).toBe(true);
    expect(await page.getByText('not yet', { exact: true }).count()).toBe(19);
    await page.close();
  });

  test('says who has a database that is locked', async () => {
    const { simulator, config } = world;
    const asked = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const end = simulator.onPageRequest(() => {
      asked.resolve();
      return held.promise;
    });
    const running = start(['sync', '--config', config]);
    try {
      await asked.promise;
      const { code, stderr } = await world.report(join(world.folder, 'locked.html'));
      expect([code, stderr]).toEqual([0, expect.stringContaining('is in use')]);
      const page = await open({ file: 'locked.html' });
      await look(page, 'locked');
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('The database is in use');
      expect(await page.getByText(`process ${running.process.pid}`).isVisible()).toBe(true);
      await page.close();
    } finally {
      held.resolve();
      end();
      await running.ended;
    }
  });
});

/** What charts have long labels for: billions of rows, minutes and seconds, and bars that are cut. */
function longFacts(): PageFacts {
  const config = parseConfig({ lender: 'acme', email: 'e', password: 'p', streams: ['borrowers'] }, {}, 'c.json');
  const records = [4_000, 2, 2, 2, 2, 2, 2].map((rows, hour): RunRecord => {
    const [startedAt, endedAt] = [`2026-06-01T0${hour}:00:00.000000Z`, `2026-06-01T0${hour}:03:20.000000Z`];
    const stream = {
      ...unreadSummary('borrowers', null),
      rows_read: rows * 2e7,
      rows_written: rows * 1e9,
      seconds: 200,
    };
    const summary = { streams: [{ ...stream, status: 'succeeded' }], warnings: [] };
    return { runId: `${hour}`, command: 'sync', version: '0', startedAt, endedAt, status: 'succeeded', summary };
  });
  const stored = { documents: [], runs: jobsOf(records), busy: null };
  return pageFacts(statusOf(stored, config, 'DuckDB x', new Date('2026-06-01T13:00:00Z')), stored, []);
}

/** The texts of all charts, and those that leave their chart's box. */
const CHART_LABELS = `(() => {
  const texts = [...document.querySelectorAll('svg text')].filter((one) => one.checkVisibility());
  const outside = texts.filter((one) => {
    const [its, chart] = [one, one.ownerSVGElement].map((each) => each.getBoundingClientRect());
    return its.left < chart.left || its.right > chart.right || its.top < chart.top || its.bottom > chart.bottom;
  });
  return { labels: texts.map((one) => one.textContent), outside: outside.map((one) => one.textContent) };
})()`;

/** Texts that end right of the window, apart from those in a part that scrolls by itself. */
const BEYOND_THE_EDGE = `[...document.querySelectorAll('body *')]
  .filter((one) => !one.closest('.scroll, svg, .skip') && one.getBoundingClientRect().right > innerWidth + 0.5)
  .map((one) => one.outerHTML.slice(0, 200))`;

/** The least contrast of any text with the ground that it stands on, as WCAG 2 reckons it. */
const LEAST_CONTRAST = `(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (one) => {
    const colour = getComputedStyle(one).backgroundColor;
    return parts(colour)[3] === 0 ? ground(one.parentElement) : colour;
  };
  const contrasts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (walker.currentNode.textContent.trim() === '' || one.closest('style, title') || !one.checkVisibility()) continue;
    const ink = getComputedStyle(one)[one.closest('svg') ? 'fill' : 'color'];
    const [a, b] = [light(ink), light(ground(one))].sort((x, y) => y - x);
    contrasts.push((a + 0.05) / (b + 0.05));
  }
  return { texts: contrasts.length, least: Math.min(...contrasts) };
})()`;
