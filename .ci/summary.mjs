import { readFileSync } from 'node:fs';

/**
 * Ends a run of the tests: names what was skipped, fails where a test was that must run here, and prints the plain closing line.
 *
 * usage: node .ci/summary.mjs RESULTS.json
 */
const results = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const tests = results.testResults.flatMap((file) =>
  file.assertionResults.map((test) => ({ file: file.name.replace(/^.*\/test\//, 'test/'), ...test })),
);
const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
for (const test of skipped) console.log(`skipped: ${test.file} > ${test.fullName}`);

/** Tests whose names match these may not be skipped: this script has made sure that what they need is there. */
const required = (process.env.CLEARGRID_CI_REQUIRES ?? '').split(',').filter((word) => word !== '');
const missing = skipped.filter((test) => required.some((word) => test.file.includes(word)));
for (const test of missing) console.log(`required here, and skipped: ${test.file} > ${test.fullName}`);

const failed =
  results.numFailedTests +
  results.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
console.log(`${results.numPassedTests} passed, ${failed + missing.length} failed, ${skipped.length} skipped`);
process.exitCode = failed + missing.length > 0 || results.numPassedTests === 0 ? 1 : 0;
