import { writeFileSync } from 'node:fs';
import { generatedFiles } from './files.ts';

/** `npm run generate`: writes the generated files anew. */

const project = new URL('../../', import.meta.url);
for (const [path, text] of Object.entries(generatedFiles())) writeFileSync(new URL(path, project), text);
