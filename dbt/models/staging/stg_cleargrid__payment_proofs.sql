-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='payment_proofs' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('status') }},
    {{ q('reviewed_at') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'payment_proofs') }}
where {{ q('_deleted_at') }} is null
