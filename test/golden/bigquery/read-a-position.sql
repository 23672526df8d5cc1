select
  (select count(*) from `a-project`.`cleargrid`.`_cleargrid_leases` l where l.`stream` = @stream and l.`token` = @token) as held,
  p.`position`, p.`token`, p.`sequence`
from (select @stream as stream)
left join (select * from `a-project`.`cleargrid`.`_cleargrid_positions`
  where true
  qualify row_number() over (partition by `stream` order by `token` desc, `sequence` desc) = 1) p using (stream);
