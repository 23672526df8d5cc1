-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='borrower_sub_accounts' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('sub_account_reference_id') }},
    {{ cleargrid.amount('total_amount') }} as {{ q('total_amount') }},
    {{ q('total_amount') }} as {{ q('total_amount_minor_units') }},
    {{ cleargrid.amount('balance_amount') }} as {{ q('balance_amount') }},
    {{ q('balance_amount') }} as {{ q('balance_amount_minor_units') }},
    {{ cleargrid.amount('actual_balance_amount') }} as {{ q('actual_balance_amount') }},
    {{ q('actual_balance_amount') }} as {{ q('actual_balance_amount_minor_units') }},
    {{ cleargrid.amount('paid_amount') }} as {{ q('paid_amount') }},
    {{ q('paid_amount') }} as {{ q('paid_amount_minor_units') }},
    {{ cleargrid.amount('balance_principal_amount') }} as {{ q('balance_principal_amount') }},
    {{ q('balance_principal_amount') }} as {{ q('balance_principal_amount_minor_units') }},
    {{ cleargrid.amount('balance_interest') }} as {{ q('balance_interest') }},
    {{ q('balance_interest') }} as {{ q('balance_interest_minor_units') }},
    {{ cleargrid.amount('balance_fee') }} as {{ q('balance_fee') }},
    {{ q('balance_fee') }} as {{ q('balance_fee_minor_units') }},
    {{ q('submitted_date') }},
    {{ q('submitted_date_parsed') }},
    {{ q('due_date') }},
    {{ q('due_date_parsed') }},
    {{ q('dpd_bucket_start') }},
    {{ q('dpd_bucket_end') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'borrower_sub_accounts') }}
where {{ q('_deleted_at') }} is null
