-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='conversations' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('platform') }},
    {{ q('purpose') }},
    {{ q('type') }},
    {{ q('by') }},
    {{ q('operation') }},
    {{ q('status') }},
    {{ q('visibility') }},
    {{ q('delivery_status') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'conversations') }}
where {{ q('_deleted_at') }} is null
