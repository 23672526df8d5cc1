import { fileURLToPath } from 'node:url';
import { GenericContainer } from 'testcontainers';
import { metadata } from './metadata.ts';

const project = fileURLToPath(new URL('../', import.meta.url));
const { dockerRepository, dockerImageTag } = metadata();

/** The image of this checkout, under the name that metadata.yaml and the examples give it. */
export const IMAGE = `${dockerRepository}:${dockerImageTag}`;

export async function buildImage(): Promise<void> {
  await GenericContainer.fromDockerfile(project, 'docker/Dockerfile').build(IMAGE, { deleteOnExit: false });
}
