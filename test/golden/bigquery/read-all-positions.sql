select `stream`, `position`, `run_id`, `updated_at`
from (select * from `a-project`.`cleargrid`.`_cleargrid_positions`
  where true
  qualify row_number() over (partition by `stream` order by `token` desc, `sequence` desc) = 1)
where `position` is not null
order by `stream`;
