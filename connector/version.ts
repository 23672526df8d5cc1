import manifest from '../package.json' with { type: 'json' };

/** This connector's version, as its package says. */
export const VERSION = manifest.version;
