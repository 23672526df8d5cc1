begin transaction;
update `a-project`.`cleargrid`.`_cleargrid_leases` set `expires_at` = timestamp_add(current_timestamp(), interval 60 second)
where `stream` = @stream and `token` = @token;
if @@row_count = 0 then
  rollback transaction;
  select false as committed;
  return;
end if;
delete from `a-project`.`cleargrid`.`borrower_deals` _old
where exists (
  select 1 from `a-project`.`cleargrid`.`borrower_deals` _other
  where _other.`public_id` = _old.`public_id` and _other.`created_at` = _old.`created_at` and (
    (_other.`_deleted_at` is null and _old.`_deleted_at` is not null)
    or ((_other.`_deleted_at` is null) = (_old.`_deleted_at` is null) and (
      (coalesce(_other.`updated_at` > _old.`updated_at`, false) or (_other.`updated_at` is not null and _old.`updated_at` is null) or (_other.`updated_at` is not distinct from _old.`updated_at` and _other.`_synced_at` > _old.`_synced_at`))
      or (not (coalesce(_old.`updated_at` > _other.`updated_at`, false) or (_old.`updated_at` is not null and _other.`updated_at` is null) or (_old.`updated_at` is not distinct from _other.`updated_at` and _old.`_synced_at` > _other.`_synced_at`)) and to_json_string(_other) > to_json_string(_old))
    ))
  )
);
commit transaction;
select true as committed;
