-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='borrower_settlements' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('status') }},
    {{ q('payment_type') }},
    {{ q('hardship_reason') }},
    {{ q('employment_status') }},
    {{ cleargrid.amount('proposed_settlement_amount') }} as {{ q('proposed_settlement_amount') }},
    {{ q('proposed_settlement_amount') }} as {{ q('proposed_settlement_amount_minor_units') }},
    {{ cleargrid.amount('down_payment') }} as {{ q('down_payment') }},
    {{ q('down_payment') }} as {{ q('down_payment_minor_units') }},
    {{ cleargrid.amount('monthly_installment') }} as {{ q('monthly_installment') }},
    {{ q('monthly_installment') }} as {{ q('monthly_installment_minor_units') }},
    {{ q('number_of_installments') }},
    {{ cleargrid.amount('principal_amount') }} as {{ q('principal_amount') }},
    {{ q('principal_amount') }} as {{ q('principal_amount_minor_units') }},
    {{ cleargrid.amount('write_off_amount') }} as {{ q('write_off_amount') }},
    {{ q('write_off_amount') }} as {{ q('write_off_amount_minor_units') }},
    {{ q('start_date') }},
    {{ q('end_date') }},
    {{ q('paid_at') }},
    {{ q('is_paid') }},
    {{ q('is_active') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'borrower_settlements') }}
where {{ q('_deleted_at') }} is null
