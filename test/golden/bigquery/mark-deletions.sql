declare found struct<unmarked int64, unseen int64>;
begin transaction;
update `a-project`.`cleargrid`.`_cleargrid_leases` set `expires_at` = timestamp_add(current_timestamp(), interval 60 second)
where `stream` = @stream and `token` = @token;
if @@row_count = 0 then
  rollback transaction;
  select false as committed;
  return;
end if;
set found = (
  select as struct count(*) as unmarked, countif(_seen.`_synced_at` is null and coalesce(_old.`updated_at` >= timestamp(coalesce(@since, '0001-01-01T00:00:00Z')) and (@until is null or _old.`updated_at` < timestamp(@until)), false)) as unseen
  from `a-project`.`cleargrid`.`borrower_sub_accounts` _old
  left join `a-project`.`cleargrid`.`_cleargrid_seen_borrower_sub_accounts` _seen on _seen.`public_id` = _old.`public_id`
  where _old.`_deleted_at` is null
);
if found.unseen >= 100 and found.unseen * 2 > found.unmarked then
  commit transaction;
  select true as committed, true as held, found.unseen as unseen, found.unmarked as unmarked;
  return;
end if;
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
update `a-project`.`cleargrid`.`borrower_sub_accounts` _old set `_deleted_at` = timestamp(@at)
where _old.`_deleted_at` is null
  and coalesce(_old.`updated_at` >= timestamp(coalesce(@since, '0001-01-01T00:00:00Z')) and (@until is null or _old.`updated_at` < timestamp(@until)), false)
  and not exists (select 1 from `a-project`.`cleargrid`.`_cleargrid_seen_borrower_sub_accounts` _seen where _seen.`public_id` = _old.`public_id`);
delete from `a-project`.`cleargrid`.`_cleargrid_seen_borrower_sub_accounts` where true;
commit transaction;
select true as committed, false as held, found.unseen as unseen, found.unmarked as unmarked;
