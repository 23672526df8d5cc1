create table if not exists `a-project`.`cleargrid`.`_cleargrid_pushes` (
  `input` STRING,
  `line` INT64,
  `lender` STRING,
  `account_id` STRING,
  `sub_account_id` STRING,
  `content` STRING,
  `fields` JSON,
  `batch` STRING,
  `state` STRING,
  `reasons` JSON,
  `run_id` STRING,
  `pending_at` TIMESTAMP,
  `accepted_at` TIMESTAMP,
  `proved_at` TIMESTAMP,
  primary key (`input`, `line`) not enforced
)
cluster by `account_id`, `sub_account_id`, `input`
options (
  description = 'The accounts that were sent to ClearGrid, and what became of them.',
  labels = [('managed_by', 'cleargrid-connector')]
);
