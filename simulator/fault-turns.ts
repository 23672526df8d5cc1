import {
  FAULTS,
  type FaultFilter,
  type FaultInfo,
  type FaultName,
  type FaultPlan,
  type FaultSetting,
} from './faults.ts';
import { hasPassedSince } from './page.ts';
import { type Dice, mixText, roll, rollBelow } from './random.ts';
import type { ApiRequest } from './request.ts';

export interface Faults {
  /** The fault that befalls this request, if any; decided once per request. */
  draw(request: ApiRequest): FaultName | null;
  /** The plan of a standing fault while it is set. */
  holds(name: FaultName): FaultPlan | null;
  readonly dripMs: number;
  /** Replaces all faults, the planned ones too. */
  set(settings: readonly FaultSetting[]): void;
  /** The next `count` requests that pass the filter meet this drawn fault; those of its own routes where no route is given. */
  failNext(count: number, name: FaultName, filter?: FaultFilter): void;
}

const ENDS_SESSION: readonly FaultName[] = ['expired-token', '401-storm'];
/** A request may be repeated once after a 401, so tokens must outlive all requests that are in flight together. */
const SESSION_REST = 40;

const DEFAULT_RATE = 1 / 10;

/**
 * Faults that take turns at random distances, seeded. No request meets more than one (told apart by its parameters), no
 * two requests in a row do, and cursors fail only where starting again at the last record is a step forward, so that a
 * client with bounded retries gets through.
 */
export function createFaults(settings: readonly FaultSetting[], seed: number): Faults {
  const dice: Dice = { state: seed ^ 0xfa017 };
  const counts: Record<string, number> = {};
  let plans: FaultPlan[] = [];
  let planned: { left: number; name: FaultName; filter: FaultFilter }[] = [];
  let turns: FaultName[] = [];
  let distance = 0;
  let requests = 0;
  let sessionEnded = -SESSION_REST;
  const met = new Set<string>();

  function set(next: readonly FaultSetting[]): void {
    plans = next.map((setting) => (typeof setting === 'string' ? { name: setting } : setting));
    planned = [];
    met.clear();
    turns = shuffled(
      (Object.keys(FAULTS) as FaultName[]).filter((name) => FAULTS[name].kind === 'drawn' && isSet(name)),
      dice,
    );
    distance = 1 + rollBelow(dice, gap());
  }

  const isSet = (name: FaultName) => planOf(name) !== null;
  const planOf = (name: FaultName): FaultPlan | null =>
    plans.find((plan) => plan.name === name) ??
    plans.find((plan) => plan.name === 'all' && FAULTS[name].survivable) ??
    null;
  const gap = () => Math.max(2, Math.round(2 / Math.max(...plans.map(({ rate }) => rate ?? DEFAULT_RATE))));

  function applies(name: FaultName, request: ApiRequest): boolean {
    const info: FaultInfo = FAULTS[name];
    const needsCursor = name === 'rejected-cursor' || name === 'repeated-page' || name === 'looping-cursor';
    return (
      info.routes.includes(request.route) &&
      !(ENDS_SESSION.includes(name) && requests - sessionEnded < SESSION_REST) &&
      (counts[name] ?? 0) < (info.budget ?? Infinity) &&
      !(needsCursor && !hasPassedSince(request.parameters))
    );
  }

  function next(request: ApiRequest): FaultName | null {
    requests++;
    const plan = planned.find(({ left, name, filter }) => left > 0 && passes(name, filter, request));
    if (plan !== undefined) {
      plan.left--;
      return plan.name;
    }
    if (turns.length === 0 || --distance > 0) return null;
    const key = keyOf(request);
    const at = turns.findIndex((name) => applies(name, request));
    if (at === -1 || met.has(key)) return null;
    met.add(key);
    distance = 2 + rollBelow(dice, gap());
    const [name] = turns.splice(at, 1) as [FaultName];
    if (ENDS_SESSION.includes(name)) sessionEnded = requests;
    turns.push(name);
    return name;
  }

  set(settings);
  return {
    draw(request) {
      const name = next(request);
      if (name !== null) counts[name] = (counts[name] ?? 0) + 1;
      return name;
    },
    holds: (name) => (FAULTS[name].kind === 'standing' ? planOf(name) : null),
    get dripMs() {
      return plans.find(({ dripMs }) => dripMs !== undefined)?.dripMs ?? 10_000;
    },
    set,
    failNext(count, name, filter = {}) {
      if (FAULTS[name].kind === 'standing') throw new Error(`${name} stands as long as it is set: use setFaults.`);
      planned.push({ left: count, name, filter });
    },
  };
}

function passes(name: FaultName, { route, code, match }: FaultFilter, request: ApiRequest): boolean {
  const info: FaultInfo = FAULTS[name];
  return (
    (route === undefined ? info.routes.includes(request.route) : request.route === route) &&
    (code === undefined || request.code === code) &&
    (match === undefined || match(request))
  );
}

const keyOf = ({ route, code, parameters }: ApiRequest) => `${mixText(JSON.stringify([route, code, parameters]))}`;

function shuffled<T>(values: T[], dice: Dice): T[] {
  return values
    .map((value) => ({ value, order: roll(dice) }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value);
}
