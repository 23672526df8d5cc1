delete from `a-project`.`cleargrid`.`_cleargrid_leases` where `run_id` = @run and `stream` <> '';
