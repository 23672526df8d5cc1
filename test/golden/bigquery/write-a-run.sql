merge `a-project`.`cleargrid`.`_cleargrid_runs` r
using (select @id as id) n on n.id = r.`run_id`
when matched then update set
  `ended_at` = timestamp(@ended), `status` = @status, `summary` = parse_json(@summary)
when not matched then insert (`run_id`, `command`, `version`, `started_at`, `ended_at`, `status`, `summary`)
  values (@id, @command, @version, timestamp(@started), timestamp(@ended), @status, parse_json(@summary));
