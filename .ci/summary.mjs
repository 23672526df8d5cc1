import { readFileSync } from 'node:fs';

/**
 * Ends a run of the tests: names what was skipped, fails where a test was that must run here, and prints the plain closing line.
 *
 * usage: node .ci/summary.mjs RESULTS.json...
 */
const files = process.argv.slice(2).flatMap((path) => JSON.parse(readFileSync(path, 'utf8')).testResults);
const tests = files.flatMap((file) =>
  file.assertionResults.map((test) => ({ file: file.name.replace(/^.*\/test\//, 'test/'), ...test })),
);
const passed = tests.filter((test) => test.status === 'passed');
const failed = tests.filter((test) => test.status === 'failed');
const nameOf = (test) => `${test.file} > ${test.fullName}`;
/** What one of the runs had to skip, another may have run. */
const ran = new Set([...passed, ...failed].map(nameOf));
const notRun = tests.filter((test) => !ran.has(nameOf(test)));
const skipped = [...new Map(notRun.map((test) => [nameOf(test), test])).values()];
const broken = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
for (const test of skipped) console.log(`skipped: ${nameOf(test)}`);

/** Tests of files whose names match these may not be skipped: what they need is there. */
const required = (process.env.CLEARGRID_CI_REQUIRES ?? '').split(',').filter((word) => word !== '');
const missing = skipped.filter((test) => required.some((word) => test.file.includes(word)));
for (const test of missing) console.log(`required here, and skipped: ${nameOf(test)}`);

const failures = failed.length + broken.length + missing.length;
for (const test of failed) console.log(`failed: ${nameOf(test)}`);
for (const file of broken) console.log(`failed: ${file.name}: no test of it could run`);
console.log(`${passed.length} passed, ${failures} failed, ${skipped.length} skipped`);
process.exitCode = failures > 0 || passed.length === 0 ? 1 : 0;
