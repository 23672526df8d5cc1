update `a-project`.`cleargrid`.`borrower_sub_accounts` _old set
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
  `due_date_parsed` = _new.`due_date_parsed`,
  `dpd_bucket_start` = _new.`dpd_bucket_start`,
  `dpd_bucket_end` = _new.`dpd_bucket_end`,
  `created_at` = _new.`created_at`,
  `_extra` = _new.`_extra`,
  `_changes` = _new.`_changes`
from `a-project`.`cleargrid`.`_cleargrid_staging_borrower_sub_accounts_0123456789abcdef` _new
where _new.`public_id` = _old.`public_id`;
