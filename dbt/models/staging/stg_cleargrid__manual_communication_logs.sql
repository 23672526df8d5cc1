-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='manual_communication_logs' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('communication_type') }},
    {{ q('interaction_source') }},
    {{ q('outcome_option') }},
    {{ q('is_active') }},
    {{ q('is_ptp_broken') }},
    {{ q('communicated_at') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'manual_communication_logs') }}
where {{ q('_deleted_at') }} is null
