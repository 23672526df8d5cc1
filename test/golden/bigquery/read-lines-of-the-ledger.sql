select `input`, `line`, `lender`, `account_id`, `sub_account_id`, `content`, `fields`, `batch`, `state`, `reasons`, `run_id`, `pending_at`, `accepted_at`, `proved_at`
from `a-project`.`cleargrid`.`_cleargrid_pushes`
where `input` = @input and `line` between @first and @last
order by `line`;
