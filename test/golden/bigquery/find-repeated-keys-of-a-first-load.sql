select _row.`public_id` as `public_id`, _row.`deal_stage_id` as `deal_stage_id`, _row.`pipeline` as `pipeline`, _row.`comms_pipeline` as `comms_pipeline`, _row.`amount` as `amount`, _row.`assigned_user_name` as `assigned_user_name`, _row.`dpd_due_date` as `dpd_due_date`, _row.`dpd_due_date_parsed` as `dpd_due_date_parsed`, _row.`last_due_date` as `last_due_date`, _row.`last_due_date_parsed` as `last_due_date_parsed`, _row.`ptp_date_human` as `ptp_date_human`, _row.`ptp_date_ai` as `ptp_date_ai`, _row.`broken_ptp_date_human` as `broken_ptp_date_human`, _row.`broken_ptp_date_ai` as `broken_ptp_date_ai`, _row.`has_reached_rpc_or_beyond` as `has_reached_rpc_or_beyond`, _row.`do_not_contact` as `do_not_contact`, _row.`created_at` as `created_at`, _row.`updated_at` as `updated_at`, _row.`_extra` as `_extra`, _row.`_changes` as `_changes`, _row.`_synced_at` as `_synced_at`, false as `_cleargrid_displaced`
from `a-project`.`cleargrid`.`_cleargrid_loading_borrower_deals` _row
join (select _row.* from `a-project`.`cleargrid`.`_cleargrid_loading_borrower_deals` _row
  where `_cleargrid_row` is not null
  qualify row_number() over (
    partition by `public_id` order by `updated_at` desc nulls last, `_synced_at` desc, `_cleargrid_row`
  ) = 1) _held on _row.`public_id` = _held.`public_id`
where _row.`_cleargrid_row` is not null
  and _row.`created_at` is distinct from _held.`created_at`;
