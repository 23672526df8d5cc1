select _old.`public_id` as `public_id`, _old.`deal_stage_id` as `deal_stage_id`, _old.`pipeline` as `pipeline`, _old.`comms_pipeline` as `comms_pipeline`, _old.`amount` as `amount`, _old.`assigned_user_name` as `assigned_user_name`, _old.`dpd_due_date` as `dpd_due_date`, _old.`dpd_due_date_parsed` as `dpd_due_date_parsed`, _old.`last_due_date` as `last_due_date`, _old.`last_due_date_parsed` as `last_due_date_parsed`, _old.`ptp_date_human` as `ptp_date_human`, _old.`ptp_date_ai` as `ptp_date_ai`, _old.`broken_ptp_date_human` as `broken_ptp_date_human`, _old.`broken_ptp_date_ai` as `broken_ptp_date_ai`, _old.`has_reached_rpc_or_beyond` as `has_reached_rpc_or_beyond`, _old.`do_not_contact` as `do_not_contact`, _old.`created_at` as `created_at`, _old.`updated_at` as `updated_at`, _old.`_extra` as `_extra`, _old.`_changes` as `_changes`, _old.`_synced_at` as `_synced_at`, false as `_cleargrid_displaced`
from `a-project`.`cleargrid`.`borrower_deals` _old
where exists (
  select 1 from `a-project`.`cleargrid`.`borrower_deals` _other
  where _other.`public_id` = _old.`public_id` and _other.`created_at` = _old.`created_at` and (
    (_other.`_deleted_at` is null and _old.`_deleted_at` is not null)
    or ((_other.`_deleted_at` is null) = (_old.`_deleted_at` is null) and (
      (coalesce(_other.`updated_at` > _old.`updated_at`, false) or (_other.`updated_at` is not null and _old.`updated_at` is null) or (_other.`updated_at` is not distinct from _old.`updated_at` and _other.`_synced_at` > _old.`_synced_at`))
      or (not (coalesce(_old.`updated_at` > _other.`updated_at`, false) or (_old.`updated_at` is not null and _other.`updated_at` is null) or (_old.`updated_at` is not distinct from _other.`updated_at` and _old.`_synced_at` > _other.`_synced_at`)) and to_json_string(_other) > to_json_string(_old))
    ))
  )
);
