select countif(`updated_at` is null) as undated,
  countif(`updated_at` < timestamp '2026-03-01T00:00:00.000000Z') as c0,
  countif(`updated_at` >= timestamp '2026-03-01T00:00:00.000000Z' and `updated_at` < timestamp '2026-04-01T00:00:00.123456Z') as c1
from `a-project`.`cleargrid`.`borrower_sub_accounts`
where `_deleted_at` is null;
