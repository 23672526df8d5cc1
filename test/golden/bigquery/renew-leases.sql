update `a-project`.`cleargrid`.`_cleargrid_leases` set `expires_at` = timestamp_add(current_timestamp(), interval 60 second)
where `run_id` = @run;
