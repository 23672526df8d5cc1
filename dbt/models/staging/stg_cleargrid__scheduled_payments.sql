-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='scheduled_payments' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ cleargrid.amount('amount') }} as {{ q('amount') }},
    {{ q('amount') }} as {{ q('amount_minor_units') }},
    {{ q('scheduled_date') }},
    {{ q('status') }},
    {{ q('payment_method') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'scheduled_payments') }}
where {{ q('_deleted_at') }} is null
