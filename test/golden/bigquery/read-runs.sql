select `run_id`, `command`, `version`, `started_at`, `ended_at`, `status`, `summary`
from `a-project`.`cleargrid`.`_cleargrid_runs`
order by `started_at` desc, `run_id`
limit @limit;
