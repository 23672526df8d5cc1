select _old.`public_id` as key_0, _old.`_extra` as extra, _old.`_changes` as changes, _old.`due_date` as text_0
from `a-project`.`cleargrid`.`borrower_sub_accounts` _old
where strpos(to_json_string(_old.`_extra`), '"sub_account_reference_id":') > 0
  or strpos(to_json_string(_old.`_extra`), '"total_amount":') > 0
  or strpos(to_json_string(_old.`_extra`), '"balance_amount":') > 0
  or strpos(to_json_string(_old.`_extra`), '"actual_balance_amount":') > 0
  or strpos(to_json_string(_old.`_extra`), '"paid_amount":') > 0
  or strpos(to_json_string(_old.`_extra`), '"balance_principal_amount":') > 0
  or strpos(to_json_string(_old.`_extra`), '"balance_interest":') > 0
  or strpos(to_json_string(_old.`_extra`), '"balance_fee":') > 0
  or strpos(to_json_string(_old.`_extra`), '"submitted_date":') > 0
  or strpos(to_json_string(_old.`_extra`), '"due_date":') > 0
  or strpos(to_json_string(_old.`_extra`), '"dpd_bucket_start":') > 0
  or strpos(to_json_string(_old.`_extra`), '"dpd_bucket_end":') > 0
  or strpos(to_json_string(_old.`_extra`), '"created_at":') > 0
  or _old.`due_date` is not null;
