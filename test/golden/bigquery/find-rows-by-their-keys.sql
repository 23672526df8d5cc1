select place, t.`updated_at` as `cursor`
from unnest(@k0) as k0 with offset as place
join `a-project`.`cleargrid`.`borrower_deals` t on t.`public_id` = k0 and t.`created_at` = cast(@k1[offset(place)] as TIMESTAMP)
where t.`_deleted_at` is null;
