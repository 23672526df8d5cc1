select count(`_cleargrid_row`) as `rows`, count(distinct timestamp_trunc(`created_at`, day)) as days from `a-project`.`cleargrid`.`_cleargrid_loading_borrower_sub_accounts`;
