/** What must not be seen in a message: the password and every token of a run. */
export interface Secrets {
  keep(...secrets: readonly (string | null)[]): void;
  /** Takes them out of a text that somebody else wrote. */
  redact(text: string): string;
}

export function createSecrets(): Secrets {
  const kept = new Set<string>();
  return {
    keep: (...secrets) => {
      for (const secret of secrets) if (secret) kept.add(secret);
    },
    redact: (text) => [...kept].reduce((clean, secret) => clean.replaceAll(secret, '***'), text),
  };
}
