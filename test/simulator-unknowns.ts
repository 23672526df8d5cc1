import { UNKNOWNS, type UnknownName, type Unknowns } from '../simulator/unknowns.ts';

/** What stands for any value of those that take a path or a number. */
const SAMPLES: Partial<Record<UnknownName, string>> = {
  catalogPath: '/exports/catalog',
  catalogPage: '7',
  totalCap: '4',
  wrongCredentials: '401',
  tokenSeconds: '1',
  refreshSeconds: '1',
  accountsAtMost: '3',
};

export interface OtherAnswer {
  readonly name: UnknownName;
  readonly text: string;
  readonly unknowns: Partial<Unknowns>;
}

/** Every answer to what the documentation leaves open that is not the assumed one, one at a time. */
export function otherAnswers(): OtherAnswer[] {
  return (Object.keys(UNKNOWNS) as UnknownName[]).flatMap((name) => {
    const { values, read } = UNKNOWNS[name];
    const sample = SAMPLES[name];
    const texts = sample === undefined ? values.split(' | ').slice(1) : [sample];
    return texts.map((text) => {
      const value = read(text);
      if (value === undefined) throw new Error(`${name} cannot be ${text}`);
      return { name, text, unknowns: { [name]: value } };
    });
  });
}
