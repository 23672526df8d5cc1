select `stream`, `reason`, count(*) as `records`, countif(`run_id` in unnest(@runs)) as `fresh`, max(`seen_at`) as `seen_at`
from `a-project`.`cleargrid`.`_cleargrid_rejects`
group by `stream`, `reason`
order by `stream`, `records` desc, `reason`;
