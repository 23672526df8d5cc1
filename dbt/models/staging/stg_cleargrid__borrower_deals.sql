-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='borrower_deals' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('deal_stage_id') }},
    {{ q('pipeline') }},
    {{ q('comms_pipeline') }},
    {{ cleargrid.amount('amount') }} as {{ q('amount') }},
    {{ q('amount') }} as {{ q('amount_minor_units') }},
    {{ q('assigned_user_name') }},
    {{ q('dpd_due_date') }},
    {{ q('dpd_due_date_parsed') }},
    {{ q('last_due_date') }},
    {{ q('last_due_date_parsed') }},
    {{ q('ptp_date_human') }},
    {{ q('ptp_date_ai') }},
    {{ q('broken_ptp_date_human') }},
    {{ q('broken_ptp_date_ai') }},
    {{ q('has_reached_rpc_or_beyond') }},
    {{ q('do_not_contact') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'borrower_deals') }}
where {{ q('_deleted_at') }} is null
