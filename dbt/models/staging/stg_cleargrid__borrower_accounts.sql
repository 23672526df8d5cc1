-- Generated from schemas/ by `npm run generate`; a test fails when it is stale.
{{ config(enabled='borrower_accounts' not in var('cleargrid_disabled_streams')) }}
{%- set q = adapter.quote %}

select
    {{ q('public_id') }},
    {{ q('account_reference_id') }},
    {{ q('customer_reference_id') }},
    {{ q('reference_id') }},
    {{ cleargrid.amount('total_amount', currency='currency') }} as {{ q('total_amount') }},
    {{ q('total_amount') }} as {{ q('total_amount_minor_units') }},
    {{ cleargrid.amount('balance_amount', currency='currency') }} as {{ q('balance_amount') }},
    {{ q('balance_amount') }} as {{ q('balance_amount_minor_units') }},
    {{ cleargrid.amount('actual_balance_amount', currency='currency') }} as {{ q('actual_balance_amount') }},
    {{ q('actual_balance_amount') }} as {{ q('actual_balance_amount_minor_units') }},
    {{ cleargrid.amount('paid_amount', currency='currency') }} as {{ q('paid_amount') }},
    {{ q('paid_amount') }} as {{ q('paid_amount_minor_units') }},
    {{ cleargrid.amount('balance_principal_amount', currency='currency') }} as {{ q('balance_principal_amount') }},
    {{ q('balance_principal_amount') }} as {{ q('balance_principal_amount_minor_units') }},
    {{ cleargrid.amount('balance_interest', currency='currency') }} as {{ q('balance_interest') }},
    {{ q('balance_interest') }} as {{ q('balance_interest_minor_units') }},
    {{ cleargrid.amount('balance_fee', currency='currency') }} as {{ q('balance_fee') }},
    {{ q('balance_fee') }} as {{ q('balance_fee_minor_units') }},
    {{ cleargrid.amount('minimum_due_amount', currency='currency') }} as {{ q('minimum_due_amount') }},
    {{ q('minimum_due_amount') }} as {{ q('minimum_due_amount_minor_units') }},
    {{ q('currency') }},
    {{ q('submitted_date') }},
    {{ q('submitted_date_parsed') }},
    {{ q('due_date') }},
    {{ q('due_date_parsed') }},
    {{ q('delinquent_days_on_submission') }},
    {{ q('loan_type') }},
    {{ q('status') }},
    {{ q('merchant_name') }},
    {{ q('lender_display_name') }},
    {{ q('created_at') }},
    {{ q('updated_at') }},
    {{ q('_extra') }},
    {{ q('_changes') }},
    {{ q('_synced_at') }}
from {{ source('cleargrid', 'borrower_accounts') }}
where {{ q('_deleted_at') }} is null
