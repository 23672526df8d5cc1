alter table `a-project`.`cleargrid`.`borrower_deals` drop primary key;
alter table `a-project`.`cleargrid`.`borrower_deals` add primary key (`public_id`, `created_at`) not enforced;
