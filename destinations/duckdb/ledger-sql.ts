import { inPlace, type Place, quote } from './sql.ts';

/** The statements about the ledger of accounts, `_cleargrid_pushes`. */

export const LEDGER = '_cleargrid_pushes';

/** In the order of the table. */
export const LEDGER_COLUMNS = [
  { name: 'input', type: 'varchar' },
  { name: 'line', type: 'bigint' },
  { name: 'lender', type: 'varchar' },
  { name: 'account_id', type: 'varchar' },
  { name: 'sub_account_id', type: 'varchar' },
  { name: 'content', type: 'varchar' },
  { name: 'fields', type: 'json' },
  { name: 'batch', type: 'varchar' },
  { name: 'state', type: 'varchar' },
  { name: 'reasons', type: 'json' },
  { name: 'run_id', type: 'varchar' },
  { name: 'pending_at', type: 'timestamptz' },
  { name: 'accepted_at', type: 'timestamptz' },
  { name: 'proved_at', type: 'timestamptz' },
] as const;

/** What `latestEntries` takes its accounts from. */
export const WANTED_COLUMNS = LEDGER_COLUMNS.filter(({ name }) =>
  ['account_id', 'sub_account_id', 'input', 'line'].includes(name),
);

const NULLABLE: readonly string[] = ['batch', 'accepted_at', 'proved_at'];

/** Without a key that DuckDB would know of, for the reasons that `createTable` gives: `input` and `line` are told apart by how entries are written. */
export function createLedger(place: Place): string[] {
  const columns = LEDGER_COLUMNS.map(
    ({ name, type }) => `  ${quote(name)} ${type}${NULLABLE.includes(name) ? '' : ' not null'}`,
  );
  return [
    `create schema if not exists ${quote(place.catalog)}.${quote(place.schema)}`,
    `create table if not exists ${inPlace(place, LEDGER)} (\n${columns.join(',\n')}\n)`,
  ];
}

/** Takes away what the entries that have arrived are to replace. */
export function deleteReplaced(place: Place): string {
  return `delete from ${inPlace(place, LEDGER)} p using temp.main.entries n where p."input" = n."input" and p."line" = n."line"`;
}

export function insertEntries(place: Place): string {
  return `insert into ${inPlace(place, LEDGER)} select * from temp.main.entries`;
}

const SELECTED = LEDGER_COLUMNS.map(({ name, type }) =>
  type === 'json' ? `"${name}"::varchar as ${name}` : quote(name),
);

export function greatestAccepted(place: Place): string {
  return `select max("accepted_at") as accepted_at from ${inPlace(place, LEDGER)}`;
}

/** `$input`, `$first`, `$last`. */
export function selectLines(place: Place): string {
  return `select ${SELECTED.join(', ')}
from ${inPlace(place, LEDGER)}
where "input" = $input and "line" between $first and $last
order by "line"`;
}

/** `$lender`. */
export function latestEntries(place: Place): string {
  return `select ${SELECTED.map((column) => `p.${column}`).join(', ')}
from ${inPlace(place, LEDGER)} p
join temp.main.wanted w on w."account_id" = p."account_id" and w."sub_account_id" = p."sub_account_id"
where p."lender" = $lender and p."state" in ('accepted', 'confirmed', 'differs')
  and (p."input" <> w."input" or p."line" < w."line")
qualify row_number() over (partition by p."account_id", p."sub_account_id" order by p."accepted_at" desc, p."line" desc) = 1`;
}

/** `$lender`, `$since`. */
export function selectUnproven(place: Place): string {
  const ledger = inPlace(place, LEDGER);
  return `select ${SELECTED.join(', ')}
from ${ledger}
where "lender" = $lender and "state" <> 'refused' and "account_id" in (
  select "account_id" from ${ledger}
  where "lender" = $lender
    and ("state" in ('pending', 'accepted', 'differs', 'lost') or ("state" <> 'refused' and "accepted_at" >= $since::timestamptz))
)
order by "account_id", "sub_account_id", "accepted_at" nulls last, "input", "line"`;
}
