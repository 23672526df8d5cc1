-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='borrower_deal_activity_logs' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('action') }},
    {{ q('comment') }},
    {{ q('created_by') }},
    {{ q('details') }},
    {{ q('created_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'borrower_deal_activity_logs') }}
where {{ q('_deleted_at') }} is null
