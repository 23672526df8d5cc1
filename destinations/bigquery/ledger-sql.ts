import { inPlace, LEASES, LEDGER, literal, type Place } from './names.ts';
import { MANAGED_BY } from './tables-sql.ts';

/** The statements about the ledger of accounts. */

/** In the order of an entry. */
const COLUMNS = [
  ['input', 'STRING'],
  ['line', 'INT64'],
  ['lender', 'STRING'],
  ['account_id', 'STRING'],
  ['sub_account_id', 'STRING'],
  ['content', 'STRING'],
  ['fields', 'JSON'],
  ['batch', 'STRING'],
  ['state', 'STRING'],
  ['reasons', 'JSON'],
  ['run_id', 'STRING'],
  ['pending_at', 'TIMESTAMP'],
  ['accepted_at', 'TIMESTAMP'],
  ['proved_at', 'TIMESTAMP'],
] as const;

const NAMES = COLUMNS.map(([name]) => `\`${name}\``);

export function createLedger(place: Place): string {
  return `create table if not exists ${inPlace(place, LEDGER)} (
${COLUMNS.map(([name, type]) => `  \`${name}\` ${type}`).join(',\n')},
  primary key (\`input\`, \`line\`) not enforced
)
cluster by \`account_id\`, \`sub_account_id\`, \`input\`
options (
  description = 'The accounts that were sent to ClearGrid, and what became of them.',
  labels = [('managed_by', ${literal(MANAGED_BY)})]
)`;
}

/** What a staging table of entries has: one column, an entry in each row. */
export const ENTRY = 'entry';

/** Entries that a parameter brings: `@entries`, a JSON list. */
export const SENT_ENTRIES = `unnest(json_query_array(parse_json(@entries))) ${ENTRY}`;

/** Writes all entries, if the run holds the ledger; @param from what brings each as a JSON object: `@name`, `@token`. */
export function upsertEntries(place: Place, from: string): string {
  const values = COLUMNS.map(([name, type]) => `${valueIn(name, type)} as \`${name}\``);
  return `merge ${inPlace(place, LEDGER)} p
using (
  select ${values.join(',\n    ')}
  from ${from}
  where exists (select 1 from ${inPlace(place, LEASES)} l where l.\`stream\` = @name and l.\`token\` = @token)
) n
on n.\`input\` = p.\`input\` and n.\`line\` = p.\`line\`
when matched then update set
  ${NAMES.slice(2)
    .map((name) => `${name} = n.${name}`)
    .join(',\n  ')}
when not matched then insert (${NAMES.join(', ')})
  values (${NAMES.map((name) => `n.${name}`).join(', ')})`;
}

function valueIn(name: string, type: string): string {
  if (type === 'JSON') return `json_query(${ENTRY}, '$.${name}')`;
  const text = `json_value(${ENTRY}, '$.${name}')`;
  return type === 'STRING' ? text : `cast(${text} as ${type})`;
}

export function greatestAccepted(place: Place): string {
  return `select max(\`accepted_at\`) as accepted_at from ${inPlace(place, LEDGER)}`;
}

/** `@input`, `@first`, `@last`. */
export function selectLines(place: Place): string {
  return `select ${NAMES.join(', ')}
from ${inPlace(place, LEDGER)}
where \`input\` = @input and \`line\` between @first and @last
order by \`line\``;
}

/** `@lender`, `@wanted`: a JSON list of objects. */
export function latestEntries(place: Place): string {
  return `select ${NAMES.map((name) => `p.${name}`).join(', ')}
from ${inPlace(place, LEDGER)} p
join (
  select json_value(one, '$.account_id') as account_id, json_value(one, '$.sub_account_id') as sub_account_id,
    json_value(one, '$.input') as input, cast(json_value(one, '$.line') as INT64) as line
  from unnest(json_query_array(parse_json(@wanted))) one
) w on p.\`account_id\` = w.account_id and p.\`sub_account_id\` = w.sub_account_id
where p.\`lender\` = @lender
  and p.\`state\` in ('accepted', 'confirmed', 'differs')
  and (p.\`input\` <> w.input or p.\`line\` < w.line)
qualify row_number() over (
  partition by p.\`account_id\`, p.\`sub_account_id\` order by p.\`accepted_at\` desc, p.\`line\` desc
) = 1`;
}

/** `@lender`, `@since`. */
export function selectUnproven(place: Place): string {
  const ledger = inPlace(place, LEDGER);
  return `select ${NAMES.map((name) => `p.${name}`).join(', ')}
from ${ledger} p
where p.\`lender\` = @lender and p.\`state\` <> 'refused' and p.\`account_id\` in (
  select u.\`account_id\` from ${ledger} u
  where u.\`lender\` = @lender and u.\`state\` <> 'refused'
    and (u.\`state\` <> 'confirmed' or u.\`accepted_at\` >= timestamp(@since))
)
order by p.\`account_id\`, p.\`sub_account_id\`, p.\`accepted_at\` nulls last, p.\`input\`, p.\`line\``;
}
