import { instant } from './bookkeeping-sql.ts';
import { quote } from './sql.ts';

/** The statements about the ledger of accounts, `_cleargrid_pushes`. */

export const LEDGER = '_cleargrid_pushes';

const table = (schema: string) => `${quote(schema)}.${quote(LEDGER)}`;

/** In the order of the table. */
const COLUMNS = [
  ['input', 'text'],
  ['line', 'bigint'],
  ['lender', 'text'],
  ['account_id', 'text'],
  ['sub_account_id', 'text'],
  ['content', 'text'],
  ['fields', 'jsonb'],
  ['batch', 'text'],
  ['state', 'text'],
  ['reasons', 'jsonb'],
  ['run_id', 'text'],
  ['pending_at', 'timestamptz'],
  ['accepted_at', 'timestamptz'],
  ['proved_at', 'timestamptz'],
] as const;

const NAMES = COLUMNS.map(([name]) => quote(name));
const NULLABLE: readonly string[] = ['batch', 'accepted_at', 'proved_at'];

/** Whether the ledger is missing, and whether the schema is: `$1` schema. */
export const SELECT_LEDGER_MISSING = `select to_regclass(quote_ident($1) || '.${quote(LEDGER)}') is null as missing,
  to_regnamespace(quote_ident($1)) is null as schema_missing`;

/** The index finds what was accepted last for an account. */
export function createLedger(schema: string): string[] {
  const columns = COLUMNS.map(
    ([name, type]) => `  ${quote(name)} ${type}${NULLABLE.includes(name) ? '' : ' not null'}`,
  );
  return [
    `create table ${table(schema)} (\n${columns.join(',\n')},\n  primary key ("input", "line")\n)`,
    `create index on ${table(schema)} ("account_id", "sub_account_id")`,
  ];
}

/** One list of values for each column, as text: `$1` to `$14`. */
export function upsertEntries(schema: string): string {
  const lists = COLUMNS.map((_, at) => `$${at + 1}::text[]`);
  const cast = COLUMNS.map(([name, type]) => `n.${quote(name)}::${type}`);
  return `insert into ${table(schema)} (${NAMES.join(', ')})
select ${cast.join(', ')}
from unnest(${lists.join(', ')}) as n(${NAMES.join(', ')})
order by n."input", n."line"::bigint
on conflict ("input", "line") do update set
  ${NAMES.slice(2)
    .map((name) => `${name} = excluded.${name}`)
    .join(',\n  ')}`;
}

/** Every value as the text that an entry has; of `p`. */
const SELECTED = COLUMNS.map(([name, type]) =>
  type === 'timestamptz' ? `${instant(name)} as ${quote(name)}` : `p.${quote(name)}::text as ${quote(name)}`,
).join(', ');

export function greatestAccepted(schema: string): string {
  return `select ${instant('accepted_at')} as accepted_at
from (select max("accepted_at") as accepted_at from ${table(schema)}) p`;
}

/** `$1` input, `$2` first, `$3` last. */
export function selectLines(schema: string): string {
  return `select ${SELECTED}
from ${table(schema)} p
where p."input" = $1 and p."line" between $2::bigint and $3::bigint
order by p."line"`;
}

/** `$1` lender, `$2` account ids, `$3` sub-account ids, `$4` inputs, `$5` lines. */
export function latestEntries(schema: string): string {
  return `select l.*
from unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) as w(account_id, sub_account_id, input, line)
cross join lateral (
  select ${SELECTED}
  from ${table(schema)} p
  where p."account_id" = w.account_id and p."sub_account_id" = w.sub_account_id and p."lender" = $1
    and p."state" in ('accepted', 'confirmed', 'differs')
    and (p."input" <> w.input or p."line" < w.line)
  order by p."accepted_at" desc, p."line" desc
  limit 1
) l`;
}

/** A cursor over what is to be proven: `$1` lender, `$2` since. */
export function declareUnproven(schema: string): string {
  return `declare "_cleargrid_unproven" no scroll cursor for
select ${SELECTED}
from ${table(schema)} p
where p."lender" = $1 and p."state" <> 'refused' and p."account_id" in (
  select u."account_id" from ${table(schema)} u
  where u."lender" = $1
    and (u."state" in ('pending', 'accepted', 'differs', 'lost') or (u."state" <> 'refused' and u."accepted_at" >= $2::timestamptz))
)
order by p."account_id", p."sub_account_id", p."accepted_at" nulls last, p."input", p."line"`;
}

export const FETCH_UNPROVEN = 'fetch 1000 from "_cleargrid_unproven"';
