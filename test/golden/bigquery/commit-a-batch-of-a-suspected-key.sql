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
merge `a-project`.`cleargrid`.`borrower_deals` _old
using (
  select _row.* from `a-project`.`cleargrid`.`_cleargrid_staging_borrower_deals_0123456789abcdef` _row
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
      _new.`deal_stage_id` is distinct from _old.`deal_stage_id`
      or _new.`pipeline` is distinct from _old.`pipeline`
      or _new.`comms_pipeline` is distinct from _old.`comms_pipeline`
      or _new.`amount` is distinct from _old.`amount`
      or _new.`assigned_user_name` is distinct from _old.`assigned_user_name`
      or _new.`dpd_due_date` is distinct from _old.`dpd_due_date`
      or _new.`dpd_due_date_parsed` is distinct from _old.`dpd_due_date_parsed`
      or _new.`last_due_date` is distinct from _old.`last_due_date`
      or _new.`last_due_date_parsed` is distinct from _old.`last_due_date_parsed`
      or _new.`ptp_date_human` is distinct from _old.`ptp_date_human`
      or _new.`ptp_date_ai` is distinct from _old.`ptp_date_ai`
      or _new.`broken_ptp_date_human` is distinct from _old.`broken_ptp_date_human`
      or _new.`broken_ptp_date_ai` is distinct from _old.`broken_ptp_date_ai`
      or _new.`has_reached_rpc_or_beyond` is distinct from _old.`has_reached_rpc_or_beyond`
      or _new.`do_not_contact` is distinct from _old.`do_not_contact`
      or _new.`created_at` is distinct from _old.`created_at`
      or _new.`updated_at` is distinct from _old.`updated_at`
      or to_json_string(_new.`_extra`) is distinct from to_json_string(_old.`_extra`)
      or to_json_string(_new.`_changes`) is distinct from to_json_string(_old.`_changes`)
    )
  )
) then update set
  `deal_stage_id` = _new.`deal_stage_id`,
  `pipeline` = _new.`pipeline`,
  `comms_pipeline` = _new.`comms_pipeline`,
  `amount` = _new.`amount`,
  `assigned_user_name` = _new.`assigned_user_name`,
  `dpd_due_date` = _new.`dpd_due_date`,
  `dpd_due_date_parsed` = _new.`dpd_due_date_parsed`,
  `last_due_date` = _new.`last_due_date`,
  `last_due_date_parsed` = _new.`last_due_date_parsed`,
  `ptp_date_human` = _new.`ptp_date_human`,
  `ptp_date_ai` = _new.`ptp_date_ai`,
  `broken_ptp_date_human` = _new.`broken_ptp_date_human`,
  `broken_ptp_date_ai` = _new.`broken_ptp_date_ai`,
  `has_reached_rpc_or_beyond` = _new.`has_reached_rpc_or_beyond`,
  `do_not_contact` = _new.`do_not_contact`,
  `created_at` = _new.`created_at`,
  `updated_at` = _new.`updated_at`,
  `_extra` = _new.`_extra`,
  `_changes` = _new.`_changes`,
  `_synced_at` = _new.`_synced_at`,
  `_deleted_at` = cast(null as timestamp)
when not matched then insert (`public_id`, `deal_stage_id`, `pipeline`, `comms_pipeline`, `amount`, `assigned_user_name`, `dpd_due_date`, `dpd_due_date_parsed`, `last_due_date`, `last_due_date_parsed`, `ptp_date_human`, `ptp_date_ai`, `broken_ptp_date_human`, `broken_ptp_date_ai`, `has_reached_rpc_or_beyond`, `do_not_contact`, `created_at`, `updated_at`, `_extra`, `_changes`, `_synced_at`)
  values (_new.`public_id`, _new.`deal_stage_id`, _new.`pipeline`, _new.`comms_pipeline`, _new.`amount`, _new.`assigned_user_name`, _new.`dpd_due_date`, _new.`dpd_due_date_parsed`, _new.`last_due_date`, _new.`last_due_date_parsed`, _new.`ptp_date_human`, _new.`ptp_date_ai`, _new.`broken_ptp_date_human`, _new.`broken_ptp_date_ai`, _new.`has_reached_rpc_or_beyond`, _new.`do_not_contact`, _new.`created_at`, _new.`updated_at`, _new.`_extra`, _new.`_changes`, _new.`_synced_at`);
set written = written + @@row_count;
commit transaction;
select true as committed, written;
