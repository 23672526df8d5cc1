select 1 from `a-project`.`cleargrid`.`borrower_deals` group by `public_id` having count(*) > 1 limit 1;
