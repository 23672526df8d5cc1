-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='borrowers' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('first_name') }},
    {{ q('last_name') }},
    {{ q('country') }},
    {{ q('preferred_language') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'borrowers') }}
where {{ q('_deleted_at') }} is null
