-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='borrower_payment_plan_installments' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('number') }},
    {{ cleargrid.amount('amount') }} as {{ q('amount') }},
    {{ q('amount') }} as {{ q('amount_minor_units') }},
    {{ q('due_date') }},
    {{ q('status') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'borrower_payment_plan_installments') }}
where {{ q('_deleted_at') }} is null
