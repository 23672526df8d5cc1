select max(`accepted_at`) as accepted_at from `a-project`.`cleargrid`.`_cleargrid_pushes`;
