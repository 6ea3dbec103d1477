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


{% macro texto_na_lista(expressao, lista) -%}
    {%- if lista -%}
        {{ expressao }} in (
            {%- for item in lista -%}
                '{{ item | string | replace("'", "''") }}'
                {%- if not loop.last %}, {% endif -%}
            {%- endfor -%}
        )
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}


{% macro motivo_de_leitura(nome, origem, lido) -%}
    when {{ lido }} is null and {{ le_texto(origem) }} is null
        then '{{ nome }}_ausente'
    when {{ lido }} is null then '{{ nome }}_ilegivel'
{%- endmacro %}


{% macro motivo_de_valor() -%}
    {#- Only the columns that the source has can be at fault. -#}
    {%- if tem_coluna('vendas', 'quantidade') -%}
        {{ motivo_de_leitura('quantidade', 'quantidade_origem', 'quantidade') }}
    {%- endif %}
    {% if tem_coluna('vendas', 'valor_venda') -%}
        {{ motivo_de_leitura('valor', 'valor_venda_origem', 'valor_venda') }}
    {%- else -%}
        {{ motivo_de_leitura('valor', 'preco_unitario_origem', 'valor_venda') }}
    {%- endif -%}
{%- endmacro %}


{% macro pedido_da_linha() -%}
    {#- Without an order id, a customer's day is one order. -#}
    coalesce(
        id_venda_lido,
        id_cliente || ':' || cast(data_venda as {{ dbt.type_string() }})
    )
{%- endmacro %}


{% macro chave_da_linha() -%}
    {#- What makes two lines the same line. -#}
    {%- if tem_coluna('vendas', 'id_linha') -%}
        {{ pedido_da_linha() }}, id_linha
    {%- else -%}
        id_cliente_origem, data_venda_origem, valor_venda_origem,
        quantidade_origem, preco_unitario_origem, id_venda_origem,
        id_produto_origem, categoria_origem, moeda_origem, pais_origem
    {%- endif -%}
{%- endmacro %}


{% macro checa_moeda_unica() -%}
    {%- if execute and tem_coluna('vendas', 'moeda') and not var('moeda') -%}
        {%- set moedas = run_query(
            'select distinct moeda from ' ~ this ~ ' order by 1'
        ).columns[0].values() -%}
        {%- if moedas | length > 1 -%}
            {{ exceptions.raise_compiler_error(
                "vendas holds " ~ moedas | length ~ " currencies ("
                ~ moedas | join(', ') ~ "), which cannot be added up. Set the var "
                ~ "moeda to the one to keep; lines in the others are then refused."
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro motivo_com_duplicata() -%}
    {#- Only lines that would be kept are compared: of two equal refused lines
        both keep their own reason. -#}
    {%- if var('linhas_duplicadas') == 'manter' -%}
        motivo_da_linha
    {%- else -%}
        case
            when motivo_da_linha is not null then motivo_da_linha
            {%- if tem_coluna('vendas', 'id_linha') %}
            when id_linha is null then null
            {%- endif %}
            when row_number() over (
                partition by {{ chave_da_linha() }}, motivo_da_linha
                order by data_venda, valor_venda, id_produto, id_cliente
            ) > 1 then 'linha_duplicada'
        end
    {%- endif -%}
{%- endmacro %}
