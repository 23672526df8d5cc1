-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='deal_views' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('name') }},
    {{ q('description') }},
    {{ q('is_shared') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'deal_views') }}
where {{ q('_deleted_at') }} is null
