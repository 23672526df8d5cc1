create table if not exists `a-project`.`cleargrid`.`_cleargrid_seen_borrower_sub_accounts` (
  `public_id` STRING,
  `updated_at` TIMESTAMP,
  `_synced_at` TIMESTAMP
)
cluster by `public_id`
options (labels = [('managed_by', 'cleargrid-connector')]);
