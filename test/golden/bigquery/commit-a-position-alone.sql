declare written int64 default 0;
begin transaction;
insert into `a-project`.`cleargrid`.`_cleargrid_positions` (`stream`, `position`, `token`, `sequence`, `run_id`, `updated_at`)
select @stream, parse_json(@position), @token, @sequence, @run, current_timestamp()
from unnest([0])
where exists (select 1 from `a-project`.`cleargrid`.`_cleargrid_leases` l where l.`stream` = @stream and l.`token` = @token)
  and not exists (
    select 1 from `a-project`.`cleargrid`.`_cleargrid_positions` p
    where p.`stream` = @stream and (p.`token` > @token or (p.`token` = @token and p.`sequence` >= @sequence))
  );
if @@row_count = 0 then
  rollback transaction;
  select false as committed;
  return;
end if;
commit transaction;
select true as committed, written;
