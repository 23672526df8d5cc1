create table if not exists `a-project`.`cleargrid`.`borrower_sub_accounts` (
  `public_id` STRING,
  `sub_account_reference_id` STRING options (description = 'The lender\'s own reference of the sub-account'),
  `total_amount` NUMERIC,
  `balance_amount` NUMERIC,
  `actual_balance_amount` NUMERIC,
  `paid_amount` NUMERIC,
  `balance_principal_amount` NUMERIC,
  `balance_interest` NUMERIC,
  `balance_fee` NUMERIC,
  `submitted_date` STRING,
  `submitted_date_parsed` DATE options (description = 'The date of submitted_date; null where it is none.'),
  `due_date` STRING,
  `due_date_parsed` DATE options (description = 'The date of due_date; null where it is none.'),
  `dpd_bucket_start` INT64 options (description = 'Days past due: lower bound of the bucket'),
  `dpd_bucket_end` INT64 options (description = 'Days past due: upper bound of the bucket'),
  `created_at` TIMESTAMP,
  `updated_at` TIMESTAMP,
  `_extra` JSON options (description = 'What no column holds: a JSON object of field to value.'),
  `_changes` JSON options (description = 'What did not fit its column: a JSON list of field, change, reason.'),
  `_synced_at` TIMESTAMP options (description = 'When the page that brought this version of the row was asked for.'),
  `_deleted_at` TIMESTAMP options (description = 'When a full refresh found that the API returns it no more.'),
  primary key (`public_id`) not enforced
)
partition by timestamp_trunc(`created_at`, month)
cluster by `public_id`
options (
  description = 'Parts of accounts, each with its own balance and due date.',
  labels = [('managed_by', 'cleargrid-connector')]
);
