-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='borrower_payment_plans' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ cleargrid.amount('total_amount') }} as {{ q('total_amount') }},
    {{ q('total_amount') }} as {{ q('total_amount_minor_units') }},
    {{ q('total_installments') }},
    {{ q('status') }},
    {{ q('payment_gateway') }},
    {{ q('start_date') }},
    {{ q('end_date') }},
    {{ q('is_active') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'borrower_payment_plans') }}
where {{ q('_deleted_at') }} is null
