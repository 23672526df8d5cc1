insert into `a-project`.`cleargrid`.`_cleargrid_rejects` (`id`, `stream`, `record`, `reason`, `run_id`, `seen_at`)
select n.id, @stream, parse_json(n.record), n.reason, @run, timestamp(n.seen_at)
from (
  select json_value(reject, '$.id') as id, json_value(reject, '$.record') as record,
    json_value(reject, '$.reason') as reason, json_value(reject, '$.seen_at') as seen_at
  from unnest(json_query_array(parse_json(@rejects))) reject
) n
where not exists (select 1 from `a-project`.`cleargrid`.`_cleargrid_rejects` r where r.`id` = n.id);
