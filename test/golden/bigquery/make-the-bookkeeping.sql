create table if not exists `a-project`.`cleargrid`.`_cleargrid_positions` (
  `stream` STRING,
  `position` JSON,
  `token` INT64,
  `sequence` INT64,
  `run_id` STRING,
  `updated_at` TIMESTAMP
)
options (labels = [('managed_by', 'cleargrid-connector')]);
create table if not exists `a-project`.`cleargrid`.`_cleargrid_leases` (
  `stream` STRING,
  `run_id` STRING,
  `token` INT64,
  `started_at` TIMESTAMP,
  `expires_at` TIMESTAMP
)
options (labels = [('managed_by', 'cleargrid-connector')]);
create table if not exists `a-project`.`cleargrid`.`_cleargrid_runs` (
  `run_id` STRING,
  `command` STRING,
  `version` STRING,
  `started_at` TIMESTAMP,
  `ended_at` TIMESTAMP,
  `status` STRING,
  `summary` JSON
)
options (labels = [('managed_by', 'cleargrid-connector')]);
create table if not exists `a-project`.`cleargrid`.`_cleargrid_rejects` (
  `id` STRING,
  `stream` STRING,
  `record` JSON,
  `reason` STRING,
  `run_id` STRING,
  `seen_at` TIMESTAMP
)
cluster by `stream`
options (labels = [('managed_by', 'cleargrid-connector')]);
insert into `a-project`.`cleargrid`.`_cleargrid_leases` (`stream`, `token`)
select '', 0 from unnest([0])
where not exists (select 1 from `a-project`.`cleargrid`.`_cleargrid_leases` where `stream` = '');
