-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='borrower_account_events' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('channel') }},
    {{ q('event') }},
    {{ q('ip_address') }},
    {{ q('created_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'borrower_account_events') }}
where {{ q('_deleted_at') }} is null
