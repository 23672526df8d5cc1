select count(*) as `runs`
from `a-project`.`cleargrid`.`_cleargrid_runs`
where `started_at` > timestamp_sub(current_timestamp(), interval 1 day);
