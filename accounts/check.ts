import { hash } from 'node:crypto';
import type { z } from 'zod';
import { didYouMean } from '../connector/config/nearest.ts';
import { quickAccount } from './quick.ts';
import { type Account, accountSchema, FIELD_NAMES } from './schema.ts';

/** An account that may be sent. */
export interface GoodAccount {
  /** Where it stands in its input, from 1. */
  readonly line: number;
  readonly accountId: string;
  readonly subAccountId: string;
  /** As it is sent. Text takes a tenth of the memory of what it says. */
  readonly json: string;
  /** Of its JSON. */
  readonly bytes: number;
  /** SHA-256 of its JSON, in hex. */
  readonly content: string;
  /** What of it can be proven from the exports, and is not personal: for the ledger. */
  readonly fields: Readonly<Record<string, string>>;
}

/** An account that may not, and why; without any of its values but the id. */
export interface BadAccount {
  readonly line: number;
  readonly accountId: string | null;
  readonly problems: readonly FieldProblem[];
}

export interface FieldProblem {
  /** `phones.0.number`; empty where it is about the whole account. */
  readonly field: string;
  /** Follows the field's name. */
  readonly reason: string;
}

export type CheckedAccount = GoodAccount | BadAccount;

export const isGood = (checked: CheckedAccount): checked is GoodAccount => 'json' in checked;

/** Checks what stands at a line of an input: every field, all problems at once. */
export function checkAccount(line: number, given: unknown): CheckedAccount {
  const bad = (problems: readonly FieldProblem[]): BadAccount => ({ line, accountId: accountIdOf(given), problems });
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return bad([{ field: '', reason: 'the account must be a JSON object' }]);
  }
  const renamed = withIdNumber(given as Record<string, unknown>);
  if (renamed === null)
    return bad([{ field: 'emiratesId', reason: 'is the older name of idNumber: give one of them' }]);
  let account = quickAccount(renamed);
  if (account === null) {
    const parsed = accountSchema.safeParse(renamed);
    if (!parsed.success) return bad(parsed.error.issues.flatMap(problemsOf));
    account = parsed.data as Account;
  }
  const json = JSON.stringify(account);
  const { accountId, subAccountId } = account;
  return {
    ...{ line, accountId, subAccountId, json, bytes: Buffer.byteLength(json), content: hash('sha256', json) },
    fields: provable(account),
  };
}

const PROVABLE = ['status', 'principal', 'interest', 'fees', 'paidAmount', 'dateDue', 'loanType'] as const;

function provable(account: Account): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const name of PROVABLE) if (account[name] !== undefined) fields[name] = String(account[name]);
  return fields;
}

/** The ids alone may be told, where they are what ids look like. */
function accountIdOf(given: unknown): string | null {
  const id = (given as { accountId?: unknown } | null)?.accountId;
  if (typeof id === 'number') return String(id);
  return typeof id === 'string' && id !== '' && id.length <= 256 ? id : null;
}

/** With v1's name of `idNumber` in its place; null where both are given. */
function withIdNumber(given: Record<string, unknown>): Record<string, unknown> | null {
  if (!('emiratesId' in given)) return given;
  const { emiratesId, ...rest } = given;
  if (emiratesId === null) return rest;
  return (rest.idNumber ?? null) === null ? { ...rest, idNumber: emiratesId } : null;
}

function problemsOf(issue: z.core.$ZodIssue): FieldProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField(path, key));
  const reason = issue.code === 'invalid_type' && path.length > 1 ? 'must be an object' : issue.message;
  return [{ field: path.join('.'), reason }];
}

/** A name that looks like none may be a value that slipped into its place: it is not told. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/;

function unknownField(path: readonly string[], key: string): FieldProblem {
  const known = FIELD_NAMES[path[0] ?? ''] ?? [];
  if (!NAME.test(key)) return { field: path.join('.'), reason: 'holds a field whose name is none' };
  const beside = path.length === 0 ? ' (what is not documented goes under additionalData)' : '';
  return {
    field: [...path, key].join('.'),
    reason: `is no field that ClearGrid knows${didYouMean(key, known) || beside}`,
  };
}
