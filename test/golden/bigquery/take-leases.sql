declare next int64;
begin transaction;
update `a-project`.`cleargrid`.`_cleargrid_leases` set `token` = 1 + greatest(
  (select max(l.`token`) from `a-project`.`cleargrid`.`_cleargrid_leases` l),
  (select coalesce(max(p.`token`), 0) from `a-project`.`cleargrid`.`_cleargrid_positions` p)
) where `stream` = '';
if @@row_count = 0 then
  rollback transaction;
  select 1 limit 0;
  return;
end if;
set next = (select max(l.`token`) from `a-project`.`cleargrid`.`_cleargrid_leases` l);
delete from `a-project`.`cleargrid`.`_cleargrid_leases` where `stream` in unnest(@streams) and `expires_at` <= current_timestamp();
insert into `a-project`.`cleargrid`.`_cleargrid_leases` (`stream`, `run_id`, `token`, `started_at`, `expires_at`)
select wanted, @run, coalesce(held.`token`, next), timestamp(@started), timestamp_add(current_timestamp(), interval 60 second)
from unnest(@streams) wanted
left join (select `stream`, max(`token`) as `token` from `a-project`.`cleargrid`.`_cleargrid_leases` group by `stream`) held on held.`stream` = wanted
where not exists (
  select 1 from `a-project`.`cleargrid`.`_cleargrid_leases` l where l.`stream` in unnest(@streams) and not ends_with(l.`run_id`, @together)
);
insert into `a-project`.`cleargrid`.`_cleargrid_positions` (`stream`, `position`, `token`, `sequence`, `run_id`, `updated_at`)
select l.`stream`, p.`position`, next, 0, coalesce(p.`run_id`, @run), coalesce(p.`updated_at`, current_timestamp())
from `a-project`.`cleargrid`.`_cleargrid_leases` l
left join (select * from `a-project`.`cleargrid`.`_cleargrid_positions`
  where true
  qualify row_number() over (partition by `stream` order by `token` desc, `sequence` desc) = 1) p on p.`stream` = l.`stream`
where l.`token` = next and l.`stream` in unnest(@streams);
delete from `a-project`.`cleargrid`.`_cleargrid_positions`
where `token` < next
  and `stream` in (select l.`stream` from `a-project`.`cleargrid`.`_cleargrid_leases` l where l.`token` = next and l.`stream` in unnest(@streams));
commit transaction;
select l.`stream`, l.`run_id`, l.`token`, l.`started_at`
from `a-project`.`cleargrid`.`_cleargrid_leases` l
where l.`stream` in unnest(@streams)
order by l.`started_at`, l.`stream`;
