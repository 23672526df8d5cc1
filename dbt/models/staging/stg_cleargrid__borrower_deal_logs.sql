-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='borrower_deal_logs' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('log_action') }},
    {{ q('deal_stage_id') }},
    {{ q('pipeline') }},
    {{ q('comms_pipeline') }},
    {{ q('ptp_date_human') }},
    {{ q('ptp_date_ai') }},
    {{ q('broken_ptp_date_human') }},
    {{ q('broken_ptp_date_ai') }},
    {{ q('do_not_contact') }},
    {{ q('created_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'borrower_deal_logs') }}
where {{ q('_deleted_at') }} is null
