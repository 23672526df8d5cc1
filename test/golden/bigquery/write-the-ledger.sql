merge `a-project`.`cleargrid`.`_cleargrid_pushes` p
using (
  select json_value(entry, '$.input') as `input`,
    cast(json_value(entry, '$.line') as INT64) as `line`,
    json_value(entry, '$.lender') as `lender`,
    json_value(entry, '$.account_id') as `account_id`,
    json_value(entry, '$.sub_account_id') as `sub_account_id`,
    json_value(entry, '$.content') as `content`,
    json_query(entry, '$.fields') as `fields`,
    json_value(entry, '$.batch') as `batch`,
    json_value(entry, '$.state') as `state`,
    json_query(entry, '$.reasons') as `reasons`,
    json_value(entry, '$.run_id') as `run_id`,
    cast(json_value(entry, '$.pending_at') as TIMESTAMP) as `pending_at`,
    cast(json_value(entry, '$.accepted_at') as TIMESTAMP) as `accepted_at`,
    cast(json_value(entry, '$.proved_at') as TIMESTAMP) as `proved_at`
  from unnest(json_query_array(parse_json(@entries))) entry
  where exists (select 1 from `a-project`.`cleargrid`.`_cleargrid_leases` l where l.`stream` = @name and l.`token` = @token)
) n
on n.`input` = p.`input` and n.`line` = p.`line`
when matched then update set
  `lender` = n.`lender`,
  `account_id` = n.`account_id`,
  `sub_account_id` = n.`sub_account_id`,
  `content` = n.`content`,
  `fields` = n.`fields`,
  `batch` = n.`batch`,
  `state` = n.`state`,
  `reasons` = n.`reasons`,
  `run_id` = n.`run_id`,
  `pending_at` = n.`pending_at`,
  `accepted_at` = n.`accepted_at`,
  `proved_at` = n.`proved_at`
when not matched then insert (`input`, `line`, `lender`, `account_id`, `sub_account_id`, `content`, `fields`, `batch`, `state`, `reasons`, `run_id`, `pending_at`, `accepted_at`, `proved_at`)
  values (n.`input`, n.`line`, n.`lender`, n.`account_id`, n.`sub_account_id`, n.`content`, n.`fields`, n.`batch`, n.`state`, n.`reasons`, n.`run_id`, n.`pending_at`, n.`accepted_at`, n.`proved_at`);
