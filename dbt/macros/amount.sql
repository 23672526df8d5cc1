{#
  An amount in the currency's unit, from one in minor units: exact, since it is multiplied, and no decimal is divided.

  currency: the column that names the currency, where the table has one. What it leaves open has `cleargrid_currency_digits` decimals.
#}
{% macro amount(column, currency=none) -%}
  {%- set default = cleargrid.unit(var('cleargrid_currency_digits')) -%}
  {%- if currency is none -%}
    {{ adapter.quote(column) }} * {{ default }}
  {%- else -%}
    {{ adapter.quote(column) }} * case
        {%- for digits, codes in cleargrid.currencies_by_digits().items() %}
        when upper({{ adapter.quote(currency) }}) in ('{{ codes | join("', '") }}') then {{ cleargrid.unit(digits) }}
        {%- endfor %}
        when {{ adapter.quote(currency) }} is not null then {{ cleargrid.unit(2) }}
        else {{ default }}
    end
  {%- endif -%}
{%- endmacro %}

{# ISO 4217: the currencies that do not have two decimals. #}
{% macro currencies_by_digits() %}
  {{ return({
    0: ['BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'],
    3: ['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'],
    4: ['CLF', 'UYW'],
  }) }}
{% endmacro %}

{# One minor unit: 0.01 for two digits. #}
{% macro unit(digits) -%}
  {{ adapter.dispatch('decimal_literal', 'cleargrid')('1' if digits | int == 0 else '0.' ~ '0' * (digits | int - 1) ~ '1') }}
{%- endmacro %}

{% macro default__decimal_literal(text) %}{{ text }}{% endmacro %}

{# A plain 0.01 is a float there. #}
{% macro bigquery__decimal_literal(text) %}numeric '{{ text }}'{% endmacro %}
