select p.`input`, p.`line`, p.`lender`, p.`account_id`, p.`sub_account_id`, p.`content`, p.`fields`, p.`batch`, p.`state`, p.`reasons`, p.`run_id`, p.`pending_at`, p.`accepted_at`, p.`proved_at`
from `a-project`.`cleargrid`.`_cleargrid_pushes` p
join (
  select json_value(one, '$.account_id') as account_id, json_value(one, '$.sub_account_id') as sub_account_id,
    json_value(one, '$.input') as input, cast(json_value(one, '$.line') as INT64) as line
  from unnest(json_query_array(parse_json(@wanted))) one
) w on p.`account_id` = w.account_id and p.`sub_account_id` = w.sub_account_id
where p.`lender` = @lender
  and p.`state` in ('accepted', 'confirmed', 'differs')
  and (p.`input` <> w.input or p.`line` < w.line)
qualify row_number() over (
  partition by p.`account_id`, p.`sub_account_id` order by p.`accepted_at` desc, p.`line` desc
) = 1;
