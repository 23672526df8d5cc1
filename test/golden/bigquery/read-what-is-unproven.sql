select p.`input`, p.`line`, p.`lender`, p.`account_id`, p.`sub_account_id`, p.`content`, p.`fields`, p.`batch`, p.`state`, p.`reasons`, p.`run_id`, p.`pending_at`, p.`accepted_at`, p.`proved_at`
from `a-project`.`cleargrid`.`_cleargrid_pushes` p
where p.`lender` = @lender and p.`state` <> 'refused' and p.`account_id` in (
  select u.`account_id` from `a-project`.`cleargrid`.`_cleargrid_pushes` u
  where u.`lender` = @lender and u.`state` <> 'refused'
    and (u.`state` <> 'confirmed' or u.`accepted_at` >= timestamp(@since))
)
order by p.`account_id`, p.`sub_account_id`, p.`accepted_at` nulls last, p.`input`, p.`line`;
