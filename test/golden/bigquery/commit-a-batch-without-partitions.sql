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
merge `a-project`.`cleargrid`.`user_lender_details` _old
using (
  select _row.* from `a-project`.`cleargrid`.`_cleargrid_staging_user_lender_details_0123456789abcdef` _row
  where `_cleargrid_row` is not null
  qualify row_number() over (
    partition by `public_id` order by `updated_at` desc nulls last, `_synced_at` desc, `_cleargrid_row`
  ) = 1
) _new
on _new.`public_id` = _old.`public_id`
when matched and (
  _old.`_deleted_at` is not null
  or (
    (coalesce(_new.`updated_at` > _old.`updated_at`, false) or (_new.`updated_at` is not null and _old.`updated_at` is null) or (_new.`updated_at` is not distinct from _old.`updated_at` and _new.`_synced_at` > _old.`_synced_at`))
    and (
      _new.`customer_reference_id` is distinct from _old.`customer_reference_id`
      or _new.`first_name` is distinct from _old.`first_name`
      or _new.`last_name` is distinct from _old.`last_name`
      or _new.`updated_at` is distinct from _old.`updated_at`
      or to_json_string(_new.`_extra`) is distinct from to_json_string(_old.`_extra`)
      or to_json_string(_new.`_changes`) is distinct from to_json_string(_old.`_changes`)
    )
  )
) then update set
  `customer_reference_id` = _new.`customer_reference_id`,
  `first_name` = _new.`first_name`,
  `last_name` = _new.`last_name`,
  `updated_at` = _new.`updated_at`,
  `_extra` = _new.`_extra`,
  `_changes` = _new.`_changes`,
  `_synced_at` = _new.`_synced_at`,
  `_deleted_at` = cast(null as timestamp)
when not matched then insert (`public_id`, `customer_reference_id`, `first_name`, `last_name`, `updated_at`, `_extra`, `_changes`, `_synced_at`)
  values (_new.`public_id`, _new.`customer_reference_id`, _new.`first_name`, _new.`last_name`, _new.`updated_at`, _new.`_extra`, _new.`_changes`, _new.`_synced_at`);
set written = written + @@row_count;
commit transaction;
select true as committed, written;
