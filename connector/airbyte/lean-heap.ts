import { setFlagsFromString } from 'node:v8';

/**
 * Imported before all else by the command that prints records: what it holds of a page is garbage once the page is printed, and a
 * young generation that grows would keep more of it, some 50 MB, for nothing.
 */
setFlagsFromString('--semi-space-growth-factor=1');
