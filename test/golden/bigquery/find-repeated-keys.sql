with holders as (
  select _new.`public_id`,
    if(_old.`_synced_at` is null or _old.`_deleted_at` is not null or (coalesce(_new.`updated_at` > _old.`updated_at`, false) or (_new.`updated_at` is not null and _old.`updated_at` is null) or (_new.`updated_at` is not distinct from _old.`updated_at` and _new.`_synced_at` > _old.`_synced_at`)), _new.`created_at`, _old.`created_at`) as `_cleargrid_holder`,
    true as `_cleargrid_brought`
  from (select _row.* from `a-project`.`cleargrid`.`_cleargrid_staging_borrower_deals_0123456789abcdef` _row
  where `_cleargrid_row` is not null
  qualify row_number() over (
    partition by `public_id` order by `updated_at` desc nulls last, `_synced_at` desc, `_cleargrid_row`
  ) = 1) _new
  left join `a-project`.`cleargrid`.`borrower_deals` _old on _new.`public_id` = _old.`public_id`
)
select _row.`public_id` as `public_id`, _row.`deal_stage_id` as `deal_stage_id`, _row.`pipeline` as `pipeline`, _row.`comms_pipeline` as `comms_pipeline`, _row.`amount` as `amount`, _row.`assigned_user_name` as `assigned_user_name`, _row.`dpd_due_date` as `dpd_due_date`, _row.`dpd_due_date_parsed` as `dpd_due_date_parsed`, _row.`last_due_date` as `last_due_date`, _row.`last_due_date_parsed` as `last_due_date_parsed`, _row.`ptp_date_human` as `ptp_date_human`, _row.`ptp_date_ai` as `ptp_date_ai`, _row.`broken_ptp_date_human` as `broken_ptp_date_human`, _row.`broken_ptp_date_ai` as `broken_ptp_date_ai`, _row.`has_reached_rpc_or_beyond` as `has_reached_rpc_or_beyond`, _row.`do_not_contact` as `do_not_contact`, _row.`created_at` as `created_at`, _row.`updated_at` as `updated_at`, _row.`_extra` as `_extra`, _row.`_changes` as `_changes`, _row.`_synced_at` as `_synced_at`, false as `_cleargrid_displaced`
from `a-project`.`cleargrid`.`_cleargrid_staging_borrower_deals_0123456789abcdef` _row
join holders _held on _row.`public_id` = _held.`public_id`
where _row.`_cleargrid_row` is not null
  and _row.`created_at` is distinct from _held.`_cleargrid_holder`
union all
select _old.`public_id` as `public_id`, _old.`deal_stage_id` as `deal_stage_id`, _old.`pipeline` as `pipeline`, _old.`comms_pipeline` as `comms_pipeline`, _old.`amount` as `amount`, _old.`assigned_user_name` as `assigned_user_name`, _old.`dpd_due_date` as `dpd_due_date`, _old.`dpd_due_date_parsed` as `dpd_due_date_parsed`, _old.`last_due_date` as `last_due_date`, _old.`last_due_date_parsed` as `last_due_date_parsed`, _old.`ptp_date_human` as `ptp_date_human`, _old.`ptp_date_ai` as `ptp_date_ai`, _old.`broken_ptp_date_human` as `broken_ptp_date_human`, _old.`broken_ptp_date_ai` as `broken_ptp_date_ai`, _old.`has_reached_rpc_or_beyond` as `has_reached_rpc_or_beyond`, _old.`do_not_contact` as `do_not_contact`, _old.`created_at` as `created_at`, _old.`updated_at` as `updated_at`, _old.`_extra` as `_extra`, _old.`_changes` as `_changes`, _old.`_synced_at` as `_synced_at`, true as `_cleargrid_displaced`
from `a-project`.`cleargrid`.`borrower_deals` _old
join holders _held on _old.`public_id` = _held.`public_id`
where _old.`_deleted_at` is null
  and _old.`created_at` is distinct from _held.`_cleargrid_holder`;
