-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='borrower_payments' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ cleargrid.amount('amount') }} as {{ q('amount') }},
    {{ q('amount') }} as {{ q('amount_minor_units') }},
    {{ cleargrid.amount('settled_amount') }} as {{ q('settled_amount') }},
    {{ q('settled_amount') }} as {{ q('settled_amount_minor_units') }},
    {{ q('payment_type') }},
    {{ q('payment_status') }},
    {{ q('is_settled') }},
    {{ q('paid_before_submission') }},
    {{ q('paid_date') }},
    {{ q('failure_reason') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'borrower_payments') }}
where {{ q('_deleted_at') }} is null
