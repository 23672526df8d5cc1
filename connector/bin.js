#!/usr/bin/env node
// The executable is plain JavaScript so that it starts in a blink: Node needs longer to load what strips types than to start.
// With the compile cache on, it loads that only once, and finds every module stripped and compiled from the second start on.
import { existsSync } from 'node:fs';
import module from 'node:module';

if (!process.features.typescript) {
  process.stderr.write(`cleargrid-connector needs Node 22.22 or later, and this is ${process.version}.\n`);
  process.exit(2);
}
// Node's warnings go through the log, once it is there; until then Node 22 has only one to give: that it strips types.
process.removeAllListeners('warning');
module.enableCompileCache();
// A package holds what was built of the source: Node strips no types inside of node_modules.
await import(existsSync(new URL('./cli.ts', import.meta.url)) ? './cli.ts' : '../dist/connector/cli.js');
