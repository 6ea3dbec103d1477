{#
  What a sale line says, given which columns its source has. Used by
  base_vendas over the columns it has read.
#}

{% macro quantidade_lida() -%}
    {%- if tem_coluna('vendas', 'quantidade') -%}
        {{ le_numero('quantidade_origem') }}
    {%- else -%}
        cast(1 as {{ tipo_valor() }})
    {%- endif -%}
{%- endmacro %}


{% macro valor_da_linha() -%}
    {%- if tem_coluna('vendas', 'valor_venda') -%}
        -- a return carries a minus sign, whatever the source writes
        case when quantidade < 0 then -abs(valor_lido) else valor_lido end
    {%- else -%}
        {{ dbt.safe_cast('quantidade * preco_lido', tipo_valor()) }}
    {%- endif -%}
{%- endmacro %}


{% macro preco_da_linha() -%}
    {%- if tem_coluna('vendas', 'preco_unitario') -%}
        preco_lido
    {%- else -%}
        {{ dbt.safe_cast('abs(valor_lido / nullif(quantidade, 0))', tipo_valor()) }}
    {%- endif -%}
{%- endmacro %}


{% macro cliente_ou_anonimo() -%}
    {%- if var('cliente_ausente') == 'anonimo_por_venda' -%}
        coalesce(id_cliente_lido, 'anonimo:' || id_venda_lido)
    {%- else -%}
        id_cliente_lido
    {%- endif -%}
{%- endmacro %}


{% macro hoje() -%}
    {#- The only reading of the clock: the day of the run, in the business's zone. -#}
    {%- set zona = modules.pytz.timezone(var('fuso')) -%}
    cast('{{ run_started_at.astimezone(zona).strftime("%Y-%m-%d") }}' as date)
{%- endmacro %}


{% macro tipo_da_linha() -%}
    case
        when quantidade > 0 and valor_venda > 0 then 'compra'
        when quantidade < 0 or valor_venda < 0 then 'devolucao'
        when valor_venda = 0 then 'brinde'
        else 'sem_quantidade'
    end
{%- endmacro %}


{% macro valor_que_conta(valor, tipo) -%}
    {#- What a line adds to the value that is clustered: see var base_valor. -#}
    case
        when {{ tipo }} = 'compra'
            {%- if var('base_valor') == 'liquido' %} or {{ tipo }} = 'devolucao'{% endif %}
            then {{ valor }}
        else 0
    end
{%- endmacro %}
