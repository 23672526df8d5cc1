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
merge `a-project`.`cleargrid`.`borrower_sub_accounts` _old
using (
  select * from (select _row.* from `a-project`.`cleargrid`.`_cleargrid_staging_borrower_sub_accounts_0123456789abcdef` _row
  where `_cleargrid_row` is not null
  qualify row_number() over (
    partition by `public_id` order by `updated_at` desc nulls last, `_synced_at` desc, `_cleargrid_row`
  ) = 1) _new
  where _new.`created_at` >= timestamp '2026-02-27 00:00:00+00' and _new.`created_at` < timestamp '2026-03-02 00:00:00+00'
  or _new.`created_at` >= timestamp '2026-05-04 00:00:00+00' and _new.`created_at` < timestamp '2026-05-05 00:00:00+00'
) _new
on _new.`public_id` = _old.`public_id`
and (_old.`created_at` >= timestamp '2026-02-27 00:00:00+00' and _old.`created_at` < timestamp '2026-03-02 00:00:00+00'
  or _old.`created_at` >= timestamp '2026-05-04 00:00:00+00' and _old.`created_at` < timestamp '2026-05-05 00:00:00+00'
  or _old.`created_at` is null)
when matched and (
  _old.`_deleted_at` is not null
  or (
    (coalesce(_new.`updated_at` > _old.`updated_at`, false) or (_new.`updated_at` is not null and _old.`updated_at` is null) or (_new.`updated_at` is not distinct from _old.`updated_at` and _new.`_synced_at` > _old.`_synced_at`))
    and (
      _new.`sub_account_reference_id` is distinct from _old.`sub_account_reference_id`
      or _new.`total_amount` is distinct from _old.`total_amount`
      or _new.`balance_amount` is distinct from _old.`balance_amount`
      or _new.`actual_balance_amount` is distinct from _old.`actual_balance_amount`
      or _new.`paid_amount` is distinct from _old.`paid_amount`
      or _new.`balance_principal_amount` is distinct from _old.`balance_principal_amount`
      or _new.`balance_interest` is distinct from _old.`balance_interest`
      or _new.`balance_fee` is distinct from _old.`balance_fee`
      or _new.`submitted_date` is distinct from _old.`submitted_date`
      or _new.`submitted_date_parsed` is distinct from _old.`submitted_date_parsed`
      or _new.`due_date` is distinct from _old.`due_date`
      or _new.`due_date_parsed` is distinct from _old.`due_date_parsed`
      or _new.`dpd_bucket_start` is distinct from _old.`dpd_bucket_start`
      or _new.`dpd_bucket_end` is distinct from _old.`dpd_bucket_end`
      or _new.`created_at` is distinct from _old.`created_at`
      or _new.`updated_at` is distinct from _old.`updated_at`
      or to_json_string(_new.`_extra`) is distinct from to_json_string(_old.`_extra`)
      or to_json_string(_new.`_changes`) is distinct from to_json_string(_old.`_changes`)
    )
  )
) then update set
  `sub_account_reference_id` = _new.`sub_account_reference_id`,
  `total_amount` = _new.`total_amount`,
  `balance_amount` = _new.`balance_amount`,
  `actual_balance_amount` = _new.`actual_balance_amount`,
  `paid_amount` = _new.`paid_amount`,
  `balance_principal_amount` = _new.`balance_principal_amount`,
  `balance_interest` = _new.`balance_interest`,
  `balance_fee` = _new.`balance_fee`,
  `submitted_date` = _new.`submitted_date`,
  `submitted_date_parsed` = _new.`submitted_date_parsed`,
  `due_date` = _new.`due_date`,
  `due_date_parsed` = _new.`due_date_parsed`,
  `dpd_bucket_start` = _new.`dpd_bucket_start`,
  `dpd_bucket_end` = _new.`dpd_bucket_end`,
  `created_at` = _new.`created_at`,
  `updated_at` = _new.`updated_at`,
  `_extra` = _new.`_extra`,
  `_changes` = _new.`_changes`,
  `_synced_at` = _new.`_synced_at`,
  `_deleted_at` = cast(null as timestamp)
when not matched then insert (`public_id`, `sub_account_reference_id`, `total_amount`, `balance_amount`, `actual_balance_amount`, `paid_amount`, `balance_principal_amount`, `balance_interest`, `balance_fee`, `submitted_date`, `submitted_date_parsed`, `due_date`, `due_date_parsed`, `dpd_bucket_start`, `dpd_bucket_end`, `created_at`, `updated_at`, `_extra`, `_changes`, `_synced_at`)
  values (_new.`public_id`, _new.`sub_account_reference_id`, _new.`total_amount`, _new.`balance_amount`, _new.`actual_balance_amount`, _new.`paid_amount`, _new.`balance_principal_amount`, _new.`balance_interest`, _new.`balance_fee`, _new.`submitted_date`, _new.`submitted_date_parsed`, _new.`due_date`, _new.`due_date_parsed`, _new.`dpd_bucket_start`, _new.`dpd_bucket_end`, _new.`created_at`, _new.`updated_at`, _new.`_extra`, _new.`_changes`, _new.`_synced_at`);
set written = written + @@row_count;
merge `a-project`.`cleargrid`.`borrower_sub_accounts` _old
using (
  select * from (select _row.* from `a-project`.`cleargrid`.`_cleargrid_staging_borrower_sub_accounts_0123456789abcdef` _row
  where `_cleargrid_row` is not null
  qualify row_number() over (
    partition by `public_id` order by `updated_at` desc nulls last, `_synced_at` desc, `_cleargrid_row`
  ) = 1) _new
  where _new.`created_at` is null
) _new
on _new.`public_id` = _old.`public_id`
when matched and (
  _old.`_deleted_at` is not null
  or (
    (coalesce(_new.`updated_at` > _old.`updated_at`, false) or (_new.`updated_at` is not null and _old.`updated_at` is null) or (_new.`updated_at` is not distinct from _old.`updated_at` and _new.`_synced_at` > _old.`_synced_at`))
    and (
      _new.`sub_account_reference_id` is distinct from _old.`sub_account_reference_id`
      or _new.`total_amount` is distinct from _old.`total_amount`
      or _new.`balance_amount` is distinct from _old.`balance_amount`
      or _new.`actual_balance_amount` is distinct from _old.`actual_balance_amount`
      or _new.`paid_amount` is distinct from _old.`paid_amount`
      or _new.`balance_principal_amount` is distinct from _old.`balance_principal_amount`
      or _new.`balance_interest` is distinct from _old.`balance_interest`
      or _new.`balance_fee` is distinct from _old.`balance_fee`
      or _new.`submitted_date` is distinct from _old.`submitted_date`
      or _new.`submitted_date_parsed` is distinct from _old.`submitted_date_parsed`
      or _new.`due_date` is distinct from _old.`due_date`
      or _new.`due_date_parsed` is distinct from _old.`due_date_parsed`
      or _new.`dpd_bucket_start` is distinct from _old.`dpd_bucket_start`
      or _new.`dpd_bucket_end` is distinct from _old.`dpd_bucket_end`
      or _new.`created_at` is distinct from _old.`created_at`
      or _new.`updated_at` is distinct from _old.`updated_at`
      or to_json_string(_new.`_extra`) is distinct from to_json_string(_old.`_extra`)
      or to_json_string(_new.`_changes`) is distinct from to_json_string(_old.`_changes`)
    )
  )
) then update set
  `sub_account_reference_id` = _new.`sub_account_reference_id`,
  `total_amount` = _new.`total_amount`,
  `balance_amount` = _new.`balance_amount`,
  `actual_balance_amount` = _new.`actual_balance_amount`,
  `paid_amount` = _new.`paid_amount`,
  `balance_principal_amount` = _new.`balance_principal_amount`,
  `balance_interest` = _new.`balance_interest`,
  `balance_fee` = _new.`balance_fee`,
  `submitted_date` = _new.`submitted_date`,
  `submitted_date_parsed` = _new.`submitted_date_parsed`,
  `due_date` = _new.`due_date`,
  `due_date_parsed` = _new.`due_date_parsed`,
  `dpd_bucket_start` = _new.`dpd_bucket_start`,
  `dpd_bucket_end` = _new.`dpd_bucket_end`,
  `created_at` = _new.`created_at`,
  `updated_at` = _new.`updated_at`,
  `_extra` = _new.`_extra`,
  `_changes` = _new.`_changes`,
  `_synced_at` = _new.`_synced_at`,
  `_deleted_at` = cast(null as timestamp)
when not matched then insert (`public_id`, `sub_account_reference_id`, `total_amount`, `balance_amount`, `actual_balance_amount`, `paid_amount`, `balance_principal_amount`, `balance_interest`, `balance_fee`, `submitted_date`, `submitted_date_parsed`, `due_date`, `due_date_parsed`, `dpd_bucket_start`, `dpd_bucket_end`, `created_at`, `updated_at`, `_extra`, `_changes`, `_synced_at`)
  values (_new.`public_id`, _new.`sub_account_reference_id`, _new.`total_amount`, _new.`balance_amount`, _new.`actual_balance_amount`, _new.`paid_amount`, _new.`balance_principal_amount`, _new.`balance_interest`, _new.`balance_fee`, _new.`submitted_date`, _new.`submitted_date_parsed`, _new.`due_date`, _new.`due_date_parsed`, _new.`dpd_bucket_start`, _new.`dpd_bucket_end`, _new.`created_at`, _new.`updated_at`, _new.`_extra`, _new.`_changes`, _new.`_synced_at`);
set written = written + @@row_count;
commit transaction;
select true as committed, written;
