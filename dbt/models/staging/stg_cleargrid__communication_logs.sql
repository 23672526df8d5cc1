-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='communication_logs' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('communication_type') }},
    {{ q('direction') }},
    {{ q('status') }},
    {{ q('from') }},
    {{ q('to') }},
    {{ q('subject') }},
    {{ q('duration') }},
    {{ q('communicated_at') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'communication_logs') }}
where {{ q('_deleted_at') }} is null
