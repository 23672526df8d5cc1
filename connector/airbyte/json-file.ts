import { readFile } from 'node:fs/promises';
import { configError } from '../../destinations/failure.ts';

/**
 * Reads a JSON file that Airbyte gives with a flag.
 *
 * @throws {Failure} `config_error` naming the flag and the file, and nothing of what is in it.
 */
export async function readJsonFile(flag: string, path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw configError(`${flag} ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw configError(`${flag} ${path} is not JSON`);
  }
}
