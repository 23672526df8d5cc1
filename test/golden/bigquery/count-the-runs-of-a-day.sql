select count(*) as `runs`
from `a-project`.`cleargrid`.`_cleargrid_runs`
where `command` = 'sync' and `started_at` > timestamp_sub(current_timestamp(), interval 1 day);
