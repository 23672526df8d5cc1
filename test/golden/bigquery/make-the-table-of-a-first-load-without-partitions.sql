create table if not exists `a-project`.`cleargrid`.`user_lender_details` (
  `public_id` STRING options (description = 'The link between borrower and lender; what borrower_deals calls its public_id'),
  `customer_reference_id` STRING options (description = 'The lender\'s own reference of the customer; the same as in borrower_accounts'),
  `first_name` STRING,
  `last_name` STRING,
  `updated_at` TIMESTAMP,
  `_extra` JSON options (description = 'What no column holds: a JSON object of field to value.'),
  `_changes` JSON options (description = 'What did not fit its column: a JSON list of field, change, reason.'),
  `_synced_at` TIMESTAMP options (description = 'When the page that brought this version of the row was asked for.'),
  `_deleted_at` TIMESTAMP options (description = 'When a full refresh found that the API returns it no more.'),
  primary key (`public_id`) not enforced
)
cluster by `public_id`
options (
  description = 'Links between a borrower and a lender, one a pair.',
  labels = [('managed_by', 'cleargrid-connector'), ('cleargrid_made_from', 't1')]
)
as select _new.`public_id`, _new.`customer_reference_id`, _new.`first_name`, _new.`last_name`, _new.`updated_at`, _new.`_extra`, _new.`_changes`, _new.`_synced_at`, cast(null as timestamp)
from (select _row.* from `a-project`.`cleargrid`.`_cleargrid_loading_user_lender_details` _row
  where `_cleargrid_row` is not null
  qualify row_number() over (
    partition by `public_id` order by `updated_at` desc nulls last, `_synced_at` desc, `_cleargrid_row`
  ) = 1) _new;
