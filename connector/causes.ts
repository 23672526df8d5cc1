/** What keeps several streams from their end in the same way is one cause: it is told once, with all their names. */

export interface Told {
  readonly stream: string;
  readonly message: string;
}

/** A message without what only says which stream it is about: two of one cause are then equal. */
export function causeOf({ stream, message }: Told): string {
  return message.replaceAll(stream, '').replace(/\bdataset \S+/g, 'dataset');
}

/**
 * Each cause once, in the order in which they came.
 *
 * @returns what the first one of each says, about all streams of that cause: a command in it names them all. What is to be copied for each
 *   stream by itself (`"name":"stream"`) stays by itself.
 */
export function oncePerCause<T extends Told>(told: readonly T[]): { first: T; streams: string[]; message: string }[] {
  const isOwn = ({ stream, message }: Told) => message.includes(JSON.stringify(stream));
  return [...Map.groupBy(told, (one) => (isOwn(one) ? one : causeOf(one))).values()].map((members) => {
    const first = members[0]!;
    const streams = [...new Set(members.map(({ stream }) => stream))];
    return { first, streams, message: withoutStream(first).replaceAll(first.stream, streams.join(',')) };
  });
}

/** The same as lines of text. */
export function linesOf(told: readonly Told[]): string[] {
  return oncePerCause(told).map(({ streams, message }) => `${streams.join(', ')}: ${message}`);
}

/** The message without the name that it begins with. */
export function withoutStream({ stream, message }: Told): string {
  return [`${stream}: `, `stream ${stream}: `].reduce(
    (text, prefix) => (text.startsWith(prefix) ? text.slice(prefix.length) : text),
    message,
  );
}
